// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
)

func indicatorsOf(t *testing.T, e *Evaluation) []v1alpha1.ServiceLevelIndicator {
	t.Helper()
	indicators, err := e.Indicators()
	if err != nil {
		t.Fatal(err)
	}
	return indicators
}

// All readers of an evaluation get the same indicators, and those of the keys in the
// ledger stay while the source does not answer.
func TestIndicators(t *testing.T) {
	source := &fakeSource{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	key := slo.Key{Resource: "pods", Verb: "PATCH"}
	e.days.ledger.Record(clock.Now().Add(-window), []slo.Minute{{
		Objective: mutating, Verdict: v1alpha1.VerdictViolated, Keys: []slo.KeyVerdict{{Key: key, Verdict: v1alpha1.VerdictViolated}},
	}})
	first := latest(t, e)
	var readers sync.WaitGroup
	want := indicatorsOf(t, first)
	for range 10 {
		readers.Go(func() {
			if got, err := first.Indicators(); err != nil || &got[0] != &want[0] {
				t.Errorf("another reader got others: %v", err)
			}
		})
	}
	readers.Wait()

	source.set(errors.New("gone"))
	clock.Step(6 * interval)
	indicators := indicatorsOf(t, latest(t, e))
	i := slices.IndexFunc(indicators, func(i v1alpha1.ServiceLevelIndicator) bool { return i.Spec.Report == mutating })
	if i < 0 {
		t.Fatalf("no indicator of the key in the ledger among %d", len(indicators))
	}
	status := indicators[i].Status
	if status.Outcome != v1alpha1.OutcomeUnknown || status.Reason != ReasonSourceUnavailable || status.Day == nil || status.Day.BadMinutes != 1 {
		t.Errorf("without the source: %s %s, day %+v", status.Outcome, status.Reason, status.Day)
	}
}
