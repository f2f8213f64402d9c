// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// TestEvidence repeats the figures of both sources by their evidence: what it says is
// pasted into Prometheus, or the very answers that it names are subtracted.
func TestEvidence(t *testing.T) {
	lab.load(t, "mixed")
	lab.load(t, "custom")
	eventually(t, 3*window, "PromQL of the evidence gives what is served", func() error { return pasteAll(t) })
	eventually(t, 3*window, "the answers of the evidence give what is served", func() error { return subtractAll(t, lab.recorded) })
}

// pasteAll expressions of the server that reads Prometheus.
func pasteAll(t *testing.T) error {
	reports, err := lab.viaPrometheus.SloV1alpha1().SLOReports().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	pasted := 0
	for _, r := range reports.Items {
		if r.Status.Evidence == nil {
			return fmt.Errorf("%s has no evidence: %s", r.Name, describe(r.Status.Conditions))
		}
		want := map[string]*int64{"requests": r.Status.Requests, "slowRequests": r.Status.SlowRequests}
		if len(r.Status.Worst) > 0 {
			worst := r.Status.Worst[0]
			want["worst[0].requests"], want["worst[0].slowRequests"], want["worst[0].p99Milliseconds"] = &worst.Requests, &worst.SlowRequests, worst.P99Milliseconds
		}
		for _, f := range r.Status.Evidence.Figures {
			if err := pasteOne(t, f, r.Status.Evidence, want[f.Figure]); err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			pasted++
		}
	}
	headrooms, err := lab.viaPrometheus.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, h := range headrooms.Items {
		if h.Status.Evidence == nil || h.Status.Total == nil {
			return fmt.Errorf("%s has no evidence: %s", h.Name, describe(h.Status.Conditions))
		}
		want := map[string]*int64{
			"byInstance.nominalSeats": h.Status.Total.NominalSeats, "byInstance.currentLimitSeats": h.Status.Total.CurrentLimitSeats,
			"byInstance.executingSeats": h.Status.Total.ExecutingSeats, "byInstance.queuedRequests": h.Status.Total.QueuedRequests,
			"byInstance.dispatchedRequests": h.Status.Requests.Dispatched, "byInstance.rejectedRequests": h.Status.Requests.Rejected,
		}
		for _, f := range h.Status.Evidence.Figures {
			if err := pasteOne(t, f, h.Status.Evidence, want[f.Figure]); err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			pasted++
		}
	}
	if pasted < 4*len(headrooms.Items)+10 {
		return fmt.Errorf("%d expressions for %d reports and %d levels", pasted, len(reports.Items), len(headrooms.Items))
	}
	t.Logf("%d expressions pasted", pasted)
	return nil
}

// pasteOne expression; without an answer the figure is 0.
func pasteOne(t *testing.T, f v1alpha1.FigureEvidence, e *v1alpha1.Evidence, want *int64) error {
	got, err := promQL(t, "sum("+f.Expression+") or vector(0)", e.EvaluationTime.Time)
	if err != nil {
		return err
	}
	if want == nil || float64(*want) != got {
		return fmt.Errorf("%s is %s, and pasted %v: %s", f.Figure, figure(want), got, f.Expression)
	}
	return nil
}

// subtractAll takes the answers between the times of the evidence, and no others.
func subtractAll(t *testing.T, r *recording) error {
	reports, err := r.client.SloV1alpha1().SLOReports().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	headrooms, err := r.client.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(reports.Items, func(r v1alpha1.SLOReport) bool { return r.Name == mutating })
	pair, err := r.named(reports.Items[i].Status.Evidence)
	if err != nil {
		return err
	}
	if err := exactReports(pair, reports.Items); err != nil {
		return err
	}
	if pair, err = r.named(headrooms.Items[0].Status.Evidence); err != nil {
		return err
	}
	return r.exactHeadrooms(pair, headrooms.Items)
}

// named are the stretches of answers that evidence names by URL and times.
func (r *recording) named(e *v1alpha1.Evidence) (pair [2]stretch, err error) {
	if e == nil {
		return pair, errors.New("no evidence yet")
	}
	for i, recorder := range r.recorders {
		n := slices.IndexFunc(e.Targets, func(t v1alpha1.TargetEvidence) bool { return t.URL == recorder.URL+"/metrics" })
		if n < 0 {
			return pair, fmt.Errorf("%s is no target of %+v", recorder.URL, e.Targets)
		}
		all, err := recorder.expositions()
		if err != nil {
			return pair, err
		}
		// A sample is dated before its request is sent, which then arrives.
		at := func(sample time.Time) int {
			return slices.IndexFunc(all, func(e exposition) bool {
				return !e.begun.Before(sample) && e.begun.Before(sample.Add(interval/2))
			})
		}
		target := e.Targets[n]
		first, last := at(target.FirstSampleTime.Time), at(target.LastSampleTime.Time)
		switch {
		case last < 0:
		case target.FirstSampleTime.Equal(target.StartTime): // all since then counts
			born := slices.IndexFunc(all, func(e exposition) bool { return e.started() == all[last].started() })
			pair[i] = newStretch(append([]exposition{{}}, all[born:last+1]...))
			continue
		case first >= 0 && first < last:
			pair[i] = newStretch(all[first : last+1])
			continue
		}
		return pair, fmt.Errorf("no answers of %s and %s", target.FirstSampleTime, target.LastSampleTime)
	}
	return pair, nil
}
