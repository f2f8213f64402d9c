// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const window = 5 * time.Minute

// spec of a level with queues, or without when queues is 0.
func spec(shares, lendable, queues int32) v1alpha1.APFHeadroomSpec {
	s := v1alpha1.APFHeadroomSpec{Type: "Limited", NominalConcurrencyShares: &shares, LendablePercent: &lendable, LimitResponse: &v1alpha1.LimitResponse{Type: "Reject"}}
	if queues > 0 {
		s.LimitResponse = &v1alpha1.LimitResponse{Type: "Queue", Queues: &queues, HandSize: new(int32(6)), QueueLengthLimit: new(int32(50))}
	}
	return s
}

func headroom(name string, s v1alpha1.APFHeadroomSpec) v1alpha1.APFHeadroom {
	return v1alpha1.APFHeadroom{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: s}
}

// defaults are the levels that a cluster is born with (apiserver
// pkg/apis/flowcontrol/bootstrap).
func defaults() []v1alpha1.APFHeadroom {
	exempt := spec(0, 0, 0)
	exempt.Type, exempt.LimitResponse = "Exempt", nil
	return []v1alpha1.APFHeadroom{
		headroom("catch-all", spec(5, 0, 0)), headroom("exempt", exempt), headroom("global-default", spec(20, 50, 128)),
		headroom("leader-election", spec(10, 0, 16)), headroom("node-high", spec(40, 25, 64)), headroom("system", spec(30, 33, 64)),
		headroom("workload-high", spec(40, 50, 128)), headroom("workload-low", spec(100, 90, 128)),
	}
}

// reported are nominal, lower, upper and current limit, which a kube-apiserver with
// 600 seats reports while workload-low wants 300 seats and global-default 49. What
// they and the minimum of the others leave of 602 raises all by 602/559.
var reported = map[string][4]float64{
	"catch-all": {13, 13, 613, 14}, "exempt": {0, 0, 600, 0}, "global-default": {49, 24, 649, 53}, "leader-election": {25, 25, 625, 27},
	"node-high": {98, 73, 698, 79}, "system": {74, 50, 674, 54}, "workload-high": {98, 49, 698, 53}, "workload-low": {245, 24, 845, 323},
}

// newInput has one kube-apiserver, complete, that reports the above.
func newInput() Input {
	in := Input{Now: now, Headrooms: defaults(), Reading: &sources.Reading{
		At: now, Window: window, Rule: sources.Exact, Results: map[string]sources.Result{},
		Instances: []sources.Instance{{Component: sources.KubeAPIServer, Name: "a", Observed: true, First: now.Add(-window), Last: now}},
	}}
	for level, limits := range reported {
		for i, signal := range []string{apf.NominalLimit, apf.LowerLimit, apf.UpperLimit, apf.CurrentLimit} {
			add(&in, signal, level, limits[i], limits[i])
		}
		add(&in, apf.PeakDemand, level, 0, 0)
		add(&in, apf.SmoothedDemand, level, 0, 0)
	}
	set(&in, apf.PeakDemand, "workload-low", 300, 900)
	set(&in, apf.SmoothedDemand, "workload-low", 300, 400)
	set(&in, apf.PeakDemand, "global-default", 49, 60)
	set(&in, apf.SmoothedDemand, "global-default", 20, 20)
	return in
}

func add(in *Input, signal, level string, last, highest float64) {
	result := in.Reading.Results[signal]
	result.Series = append(result.Series, sources.Series{Instance: "a", Values: []string{level}, Last: last, Max: highest})
	in.Reading.Results[signal] = result
}

// set replaces a gauge.
func set(in *Input, signal, level string, last, highest float64) {
	drop(in, signal, level)
	add(in, signal, level, last, highest)
}

func drop(in *Input, signal, level string) {
	result := in.Reading.Results[signal]
	result.Series = slices.DeleteFunc(result.Series, func(s sources.Series) bool { return s.Values[0] == level })
	in.Reading.Results[signal] = result
}

func reject(in *Input, level string, requests float64) {
	result := in.Reading.Results[apf.RejectedRequests]
	result.Series = append(result.Series, sources.Series{Instance: "a", Values: []string{level, "s", "time-out"}, Increase: requests})
	in.Reading.Results[apf.RejectedRequests] = result
}

func simulate(t *testing.T, spec v1alpha1.APFSimulationSpec, in Input) *v1alpha1.APFSimulationStatus {
	t.Helper()
	status, errs := Simulate(&spec, in)
	if len(errs) > 0 {
		t.Fatal(errs.ToAggregate())
	}
	return status
}

// render writes the levels that have demand or gain or lose anything.
func render(status *v1alpha1.APFSimulationStatus) string {
	var text string
	for _, c := range status.Conditions {
		text += fmt.Sprintf("%s=%s %s\n", c.Type, c.Status, c.Reason)
	}
	for _, i := range status.ByInstance {
		if i.Before != nil {
			text += fmt.Sprintf("%s %d -> ", i.Instance, i.Before.ServerConcurrencyLimit)
		}
		if i.After != nil {
			text += fmt.Sprintf("%d\n", i.After.ServerConcurrencyLimit)
		}
		for _, l := range i.Levels {
			if l.Demand != nil && *l.Demand == (v1alpha1.SimulatedDemand{}) && l.GainedSeats != nil && *l.GainedSeats == 0 {
				continue
			}
			text += fmt.Sprintf("%s: %s -> %s, gains %s and %s\n", l.Level, renderLimits(l.Before), renderLimits(l.After), figure(l.GainedSeats), figure(l.GainedCurrentSeats))
		}
	}
	return text
}

func renderLimits(l *v1alpha1.SimulatedLimits) string {
	if l == nil {
		return "-"
	}
	return fmt.Sprintf("%d [%d,%d] reaches %s now %s at peak %s %s", l.NominalSeats, l.MinimumSeats, l.MaximumSeats,
		figure(l.ReachableSeats), figure(l.CurrentLimitSeats), figure(l.CurrentLimitAtPeakSeats), l.PeakFit)
}

func figure(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}
