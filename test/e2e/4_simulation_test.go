// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// ask answers a simulation.
func ask(t *testing.T, client *versioned.Clientset, spec v1alpha1.APFSimulationSpec) (*v1alpha1.APFSimulationStatus, error) {
	t.Helper()
	answer, err := client.SloV1alpha1().APFSimulations().Create(t.Context(), &v1alpha1.APFSimulation{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return &answer.Status, nil
}

// wantConfirmed waits until what is computed without a change is what all
// kube-apiservers report: nominal, lower, upper and current limits of all levels,
// this one among them. More is checked of each answer.
func wantConfirmed(t *testing.T, level string, check func(*v1alpha1.APFSimulationStatus) error) {
	t.Helper()
	for name, client := range map[string]*versioned.Clientset{"scraped": lab.slo, "prometheus": lab.viaPrometheus} {
		eventually(t, 3*window, name+": computed limits are those reported", func() error {
			status, err := ask(t, client, v1alpha1.APFSimulationSpec{})
			if err != nil {
				return err
			}
			if !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionArithmeticConfirmed) || len(status.ByInstance) != len(lab.state.APIServers) {
				return fmt.Errorf("%d instances: %s", len(status.ByInstance), describe(status.Conditions))
			}
			for _, server := range lab.state.APIServers {
				if l := outcome(status, server, level); l == nil || l.Before == nil || l.Before.CurrentLimitSeats == nil {
					return fmt.Errorf("%s has no limits of %s: %s", server.Name, level, describe(status.Conditions))
				}
			}
			return check(status)
		})
	}
}

// outcome of a level in one kube-apiserver, nil when there is none.
func outcome(status *v1alpha1.APFSimulationStatus, server apiserver, level string) *v1alpha1.SimulatedSeats {
	for _, instance := range status.ByInstance {
		for i := range instance.Levels {
			if instance.Instance == server.Address && instance.Levels[i].Level == level {
				return &instance.Levels[i]
			}
		}
	}
	return nil
}

// changed is a level that the lab is born with, as the test will have it.
func changed(t *testing.T) *flowcontrolv1.PriorityLevelConfiguration {
	t.Helper()
	levels := lab.admin.FlowcontrolV1().PriorityLevelConfigurations()
	before, err := levels.Get(t.Context(), "workload-high", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		restored, err := levels.Get(context.Background(), before.Name, metav1.GetOptions{})
		if err == nil {
			restored.Spec, restored.Annotations = before.Spec, before.Annotations
			_, err = levels.Update(context.Background(), restored, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Errorf("restore %s: %v", before.Name, err)
		}
	})
	after := before.DeepCopy()
	// Otherwise the kube-apiserver puts its default back.
	after.Annotations[flowcontrolv1.AutoUpdateAnnotationKey] = "false"
	after.Spec.Limited.NominalConcurrencyShares = new(int32(77))
	after.Spec.Limited.LendablePercent = new(int32(33))
	after.Spec.Limited.BorrowingLimitPercent = new(int32(50))
	after.Spec.Limited.LimitResponse.Queuing.HandSize = 8
	return after
}

// noisy is a level of its own for a noisy client.
func noisy() *flowcontrolv1.PriorityLevelConfiguration {
	return &flowcontrolv1.PriorityLevelConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "e2e-noisy"},
		Spec: flowcontrolv1.PriorityLevelConfigurationSpec{
			Type: flowcontrolv1.PriorityLevelEnablementLimited,
			Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{
				NominalConcurrencyShares: new(int32(10)), LendablePercent: new(int32(0)), BorrowingLimitPercent: new(int32(0)),
				LimitResponse: flowcontrolv1.LimitResponse{
					Type:    flowcontrolv1.LimitResponseTypeQueue,
					Queuing: &flowcontrolv1.QueuingConfiguration{Queues: 16, HandSize: 4, QueueLengthLimit: 50},
				},
			},
		},
	}
}

// proposed is a level as a simulation has it.
func proposed(level *flowcontrolv1.PriorityLevelConfiguration) v1alpha1.SimulatedLevel {
	limited := level.Spec.Limited
	queuing := limited.LimitResponse.Queuing
	return v1alpha1.SimulatedLevel{
		Name:                     level.Name,
		New:                      level.ResourceVersion == "",
		NominalConcurrencyShares: limited.NominalConcurrencyShares,
		LendablePercent:          limited.LendablePercent,
		BorrowingLimitPercent:    limited.BorrowingLimitPercent,
		LimitResponse: &v1alpha1.LimitResponse{
			Type: string(limited.LimitResponse.Type), Queues: &queuing.Queues, HandSize: &queuing.HandSize, QueueLengthLimit: &queuing.QueueLengthLimit,
		},
	}
}

// TestSimulation asks what a change would do, makes the change, and compares every
// limit that the kube-apiservers then set with what was predicted. All the while a
// level of the small one borrows what it can get.
func TestSimulation(t *testing.T) {
	stop := lab.load(t, "flood", "--parallel=60")
	small := lab.state.APIServers[1]
	flooded := func(status *v1alpha1.APFSimulationStatus) error {
		l := outcome(status, small, "workload-low")
		if l.Before.PeakFit != v1alpha1.PeakQueues || *l.Before.CurrentLimitSeats <= l.Before.NominalSeats {
			return fmt.Errorf("workload-low is not flooded: %+v of %+v", l.Before, l.Demand)
		}
		return nil
	}
	wantConfirmed(t, "workload-low", flooded)
	change, added := changed(t), noisy()
	spec := v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{proposed(change), proposed(added)}}
	predicted, err := ask(t, lab.slo, spec)
	if err != nil {
		t.Fatal(err)
	}

	levels := lab.admin.FlowcontrolV1().PriorityLevelConfigurations()
	if _, err := levels.Update(t.Context(), change, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = levels.Delete(context.Background(), added.Name, metav1.DeleteOptions{}) })
	if _, err := levels.Create(t.Context(), added, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, server := range lab.state.APIServers {
		eventually(t, 30*time.Second, "limits of "+server.Name+" are as predicted", func() error { return asPredicted(t, server, predicted) })
	}
	// Also the current limits, which follow the demand that there is then.
	wantConfirmed(t, added.Name, func(status *v1alpha1.APFSimulationStatus) error {
		l, was := outcome(status, small, change.Name), outcome(predicted, small, change.Name)
		if l.Before.NominalSeats != was.After.NominalSeats || *l.Before.WidestRequestSeats != *was.After.WidestRequestSeats {
			return fmt.Errorf("%s is not changed: %+v", change.Name, l.Before)
		}
		return flooded(status)
	})
	isolate(t, added.Name)
	exact(t, lab.recorded)
	stop()
}

// asPredicted compares the limits that follow from the configuration.
func asPredicted(t *testing.T, server apiserver, predicted *v1alpha1.APFSimulationStatus) error {
	t.Helper()
	reported := limitsOf(t, server)
	for _, instance := range predicted.ByInstance {
		if instance.Instance != server.Address {
			continue
		}
		if len(instance.Levels) < 9 { // eight by default, and one
			return fmt.Errorf("only %d levels were predicted", len(instance.Levels))
		}
		for _, l := range instance.Levels {
			got := reported[l.Level]
			if want := [3]int64{l.After.NominalSeats, l.After.MinimumSeats, l.After.MaximumSeats}; got != want {
				return fmt.Errorf("%s has the limits %d, predicted %d", l.Level, got, want)
			}
		}
		return nil
	}
	return fmt.Errorf("nothing was predicted for %s", server.Address)
}

// limitsOf a kube-apiserver: nominal, lower and upper ones by level.
func limitsOf(t *testing.T, server apiserver) map[string][3]int64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(metrics(t, server)))
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	limits := map[string][3]int64{}
	for i, name := range []string{"nominal", "lower", "upper"} {
		for _, metric := range families["apiserver_flowcontrol_"+name+"_limit_seats"].GetMetric() {
			level := metric.GetLabel()[0].GetValue()
			of := limits[level]
			of[i] = int64(metric.GetGauge().GetValue())
			limits[level] = of
		}
	}
	return limits
}
