// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/testutil"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// sourceFunc is a source in one function.
type sourceFunc func(at time.Time) (*sources.Reading, error)

func (f sourceFunc) Read(_ context.Context, at time.Time, _ time.Duration) (*sources.Reading, error) {
	return f(at)
}

// registered metrics count: those of nobody discard.
func registered(t *testing.T, e *Evaluator) metrics.KubeRegistry {
	t.Helper()
	registry := metrics.NewKubeRegistry()
	for _, metric := range e.Metrics() {
		if err := registry.Register(metric); err != nil {
			t.Fatal(err)
		}
	}
	return registry
}

func wantResults(t *testing.T, registry metrics.KubeRegistry, counts string) {
	t.Helper()
	want := "# HELP slo_apiserver_evaluations_total [ALPHA] " + help + "\n# TYPE slo_apiserver_evaluations_total counter\n" + counts
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "slo_apiserver_evaluations_total"); err != nil {
		t.Error(err)
	}
}

const help = "Evaluations made, by result: ok, stale (the last reading stood in for a source that did not answer), unavailable (no reading was young enough) or error (a panic was recovered)."

// A panic of the source is an answer that failed, like any other.
func TestPanicOfTheSource(t *testing.T) {
	calls := 0
	e, clock := newEvaluator(t, sourceFunc(func(at time.Time) (*sources.Reading, error) {
		if calls++; calls == 2 {
			panic("index out of range [7]")
		}
		return (&fakeSource{}).Read(t.Context(), at, window)
	}), fakeCluster{})
	registry := registered(t, e)
	latest(t, e)
	clock.Step(interval)
	stale := condition(t, latest(t, e), "api-latency-mutating", v1alpha1.ConditionDataComplete)
	if stale.Reason != ReasonStale || !strings.Contains(stale.Message, "read the source: panic: index out of range [7]") {
		t.Errorf("after a panic: %+v", stale)
	}
	clock.Step(interval)
	if back := condition(t, latest(t, e), "api-latency-mutating", v1alpha1.ConditionDataComplete); back.Reason == ReasonStale {
		t.Errorf("the source is back, and still %+v", back)
	}
	wantResults(t, registry, "slo_apiserver_evaluations_total{result=\"ok\"} 2\nslo_apiserver_evaluations_total{result=\"stale\"} 1\n")
}

// What breaks the objectives leaves the priority levels alone.
func TestPanicOfTheObjectives(t *testing.T) {
	source := &fakeSource{}
	e, _ := newEvaluator(t, source, fakeCluster{})
	registry := registered(t, e)
	e.Resources = panicking{}
	evaluation := latest(t, e)
	if len(evaluation.Reports) != len(e.Objectives) {
		t.Errorf("%d reports, want %d", len(evaluation.Reports), len(e.Objectives))
	}
	for _, r := range evaluation.Reports {
		met := condition(t, evaluation, r.Name, v1alpha1.ConditionMet)
		if met.Status != metav1.ConditionUnknown || met.Reason != ReasonEvaluationFailed || !strings.Contains(met.Message, "panic: classes") {
			t.Errorf("%s: %+v", r.Name, met)
		}
	}
	if len(evaluation.Headrooms) != 1 || evaluation.Headrooms[0].Status.Pressure == "" {
		t.Errorf("headrooms: %+v", evaluation.Headrooms)
	}
	if again := latest(t, e); again != evaluation || source.count() != 1 {
		t.Errorf("a failed evaluation was made %d times in one interval", source.count())
	}
	wantResults(t, registry, "slo_apiserver_evaluations_total{result=\"error\"} 1\n")
}

type panicking struct{}

func (panicking) Classes() (*slo.Resources, error) { panic("classes") }

func (panicking) Objects() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error) {
	panic("objects")
}

// Any other panic is an error of the readers, who are told, and not the end of
// the process.
func TestPanicElsewhere(t *testing.T) {
	e, _ := newEvaluator(t, &fakeSource{}, fakeCluster{})
	registry := registered(t, e)
	e.FlowControl = panicking{}
	if evaluation, err := e.Latest(t.Context()); err == nil || !strings.Contains(err.Error(), "evaluate: panic: objects") {
		t.Errorf("got %v, %v", evaluation, err)
	}
	if _, err := e.Next(t.Context(), 0); err == nil {
		t.Error("Next has no error")
	}
	e.FlowControl = fakeCluster{}
	latest(t, e)
	wantResults(t, registry, "slo_apiserver_evaluations_total{result=\"error\"} 2\nslo_apiserver_evaluations_total{result=\"ok\"} 1\n")
}

// A source that times out is not asked again and again without a pause.
func TestSlowFailuresAreSpacedOut(t *testing.T) {
	reads := 0
	var step func(time.Duration)
	e, clock := newEvaluator(t, sourceFunc(func(time.Time) (*sources.Reading, error) {
		reads++
		step(interval) // the time-out
		return nil, errors.New("deadline exceeded")
	}), fakeCluster{})
	step = clock.Step
	begin := clock.Now()
	for clock.Since(begin) < 4*interval {
		latest(t, e)
		clock.Step(time.Second)
	}
	if reads != 2 {
		t.Errorf("%d reads of an interval each in four intervals, want 2", reads)
	}
}

// A long Retry-After does not make the server blind for longer than figures last.
func TestRetryAfterIsBounded(t *testing.T) {
	source := &fakeSource{err: forADay{errors.New("429 Too Many Requests")}}
	e, clock := newEvaluator(t, source, fakeCluster{})
	latest(t, e)
	clock.Step(4*interval - time.Second)
	latest(t, e)
	if source.count() != 1 {
		t.Errorf("%d reads before the maximum age, want 1", source.count())
	}
	clock.Step(interval)
	latest(t, e)
	if source.count() != 2 {
		t.Errorf("%d reads after the maximum age, want 2", source.count())
	}
}

type forADay struct{ error }

func (forADay) RetryAfter() time.Duration { return 24 * time.Hour }
