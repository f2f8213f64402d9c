// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"errors"
	"testing"
)

// The reading that stands behind an evaluation goes with it for as long as it is
// served, and the trouble with it from the first moment on.
func TestReadingOfAnEvaluation(t *testing.T) {
	source := &fakeSource{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	first := latest(t, e)
	if first.Reading == nil || first.ReadingProblem != nil {
		t.Fatalf("reading %v, problem %v", first.Reading, first.ReadingProblem)
	}
	gone := errors.New("gone")
	source.set(gone)
	clock.Step(interval)
	if stale := latest(t, e); stale.Reading != first.Reading || !errors.Is(stale.ReadingProblem, gone) {
		t.Errorf("stale: another reading %t, problem %v", stale.Reading != first.Reading, stale.ReadingProblem)
	}
	clock.Step(5 * interval)
	if old := latest(t, e); old.Reading != nil || !errors.Is(old.ReadingProblem, gone) {
		t.Errorf("too old: reading %v, problem %v", old.Reading, old.ReadingProblem)
	}
}
