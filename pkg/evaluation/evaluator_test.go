// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

const (
	window   = 5 * time.Minute
	interval = 15 * time.Second
)

// fakeSource answers with one idle kube-apiserver, or with err.
type fakeSource struct {
	mu    sync.Mutex
	reads int
	err   error
	block chan struct{}
}

func (f *fakeSource) Read(ctx context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	f.mu.Lock()
	f.reads++
	err, block := f.err, f.block
	f.mu.Unlock()
	if block != nil {
		<-block
	}
	if err != nil {
		return nil, err
	}
	return &sources.Reading{
		At: at, Window: window, Rule: sources.Exact,
		Instances: []sources.Instance{{
			Component: sources.KubeAPIServer, Name: "10.0.0.1:6443", Observed: true,
			First: at.Add(-window), Last: at,
		}},
		Results: map[string]sources.Result{},
	}, ctx.Err()
}

func (f *fakeSource) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeSource) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

type fakeCluster struct{ err error }

func (f fakeCluster) Classes() (*slo.Resources, error) { return slo.NewResources(nil, nil), nil }

func (f fakeCluster) Objects() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error) {
	return []*flowcontrolv1.PriorityLevelConfiguration{{
		ObjectMeta: metav1.ObjectMeta{Name: "exempt"},
		Spec:       flowcontrolv1.PriorityLevelConfigurationSpec{Type: flowcontrolv1.PriorityLevelEnablementExempt},
	}}, nil, f.err
}

func newEvaluator(t *testing.T, source sources.Source, cluster fakeCluster) (*Evaluator, *testclock.FakeClock) {
	t.Helper()
	objectives, err := slo.Catalog(window, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	clock := testclock.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	e, err := New(Config{
		Source: source, Resources: cluster, FlowControl: cluster, Objectives: objectives,
		Window: window, Interval: interval, Timeout: time.Second, MaxAge: 4 * interval, Clock: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, clock
}

func latest(t *testing.T, e *Evaluator) *Evaluation {
	t.Helper()
	evaluation, err := e.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return evaluation
}

func condition(t *testing.T, e *Evaluation, report, conditionType string) metav1.Condition {
	t.Helper()
	i := slices.IndexFunc(e.Reports, func(r v1alpha1.SLOReport) bool { return r.Name == report })
	if i < 0 {
		t.Fatalf("no report %s", report)
	}
	found := meta.FindStatusCondition(e.Reports[i].Status.Conditions, conditionType)
	if found == nil {
		t.Fatalf("%s has no condition %s", report, conditionType)
	}
	return *found
}

func TestOneEvaluationPerInterval(t *testing.T) {
	source := &fakeSource{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	first := latest(t, e)
	clock.Step(interval - time.Millisecond)
	if latest(t, e) != first || source.count() != 1 {
		t.Errorf("an evaluation younger than the interval was not served again: %d reads", source.count())
	}
	clock.Step(time.Millisecond)
	second := latest(t, e)
	if source.count() != 2 {
		t.Errorf("%d reads, want 2 after an interval", source.count())
	}
	if second.ResourceVersion < first.ResourceVersion+2 {
		t.Errorf("resourceVersion went from %d to %d", first.ResourceVersion, second.ResourceVersion)
	}
	clock.Step(-time.Hour)
	if third := latest(t, e); third == second || third.ResourceVersion <= second.ResourceVersion {
		t.Errorf("after the clock was set back: %d follows %d", third.ResourceVersion, second.ResourceVersion)
	}
}

func TestManyReadersOneFlight(t *testing.T) {
	source := &fakeSource{block: make(chan struct{})}
	e, _ := newEvaluator(t, source, fakeCluster{})

	impatient, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { _, err := e.Latest(impatient); gaveUp <- err }()
	for source.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	// The one who started the flight leaves; the others get its outcome.
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that gave up got %v", err)
	}
	var readers sync.WaitGroup
	versions := make([]uint64, 20)
	for i := range versions {
		readers.Go(func() {
			if evaluation, err := e.Latest(t.Context()); err == nil {
				versions[i] = evaluation.ResourceVersion
			}
		})
	}
	close(source.block)
	readers.Wait()
	if source.count() != 1 || slices.Min(versions) != slices.Max(versions) || versions[0] == 0 {
		t.Errorf("%d reads for versions %v, want one read and one version", source.count(), versions)
	}
}

func TestNextWaitsForANewEvaluation(t *testing.T) {
	source := &fakeSource{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	first := latest(t, e)
	if again, err := e.Next(t.Context(), first.ResourceVersion-1); err != nil || again != first {
		t.Fatalf("Next of an older version = %v, %v, want the latest at once", again, err)
	}
	next := make(chan *Evaluation)
	go func() {
		evaluation, _ := e.Next(t.Context(), first.ResourceVersion)
		next <- evaluation
	}()
	for !clock.HasWaiters() {
		time.Sleep(time.Millisecond)
	}
	if source.count() != 1 {
		t.Errorf("waiting made %d reads", source.count())
	}
	clock.Step(interval)
	if got := <-next; got == nil || got.ResourceVersion <= first.ResourceVersion {
		t.Errorf("Next returned %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Next(ctx, 1<<63); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after the end of its context: %v", err)
	}
}

func TestTransitionTimesAreWhenTheStatusChanged(t *testing.T) {
	source := &fakeSource{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	const report = "api-latency-mutating"
	first := condition(t, latest(t, e), report, v1alpha1.ConditionDataComplete)
	if want := clock.Now().Truncate(time.Second); !first.LastTransitionTime.Time.Equal(want) {
		t.Errorf("first transition at %s, want %s", first.LastTransitionTime, want)
	}
	clock.Step(interval)
	if second := condition(t, latest(t, e), report, v1alpha1.ConditionDataComplete); second != first {
		t.Errorf("unchanged condition went from %+v to %+v", first, second)
	}
	source.set(errors.New("connection refused"))
	clock.Step(2 * interval)
	stale := condition(t, latest(t, e), report, v1alpha1.ConditionDataComplete)
	if stale.Status == first.Status && !stale.LastTransitionTime.Equal(&first.LastTransitionTime) {
		t.Errorf("same status, but a transition: %+v", stale)
	}
}

func TestTroubleOfTheSource(t *testing.T) {
	source := &fakeSource{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	latest(t, e)
	source.set(errors.New("connection refused"))

	clock.Step(interval)
	stale := condition(t, latest(t, e), "api-latency-mutating", v1alpha1.ConditionDataComplete)
	if stale.Status != metav1.ConditionFalse || stale.Reason != ReasonStale || !strings.Contains(stale.Message, "connection refused") {
		t.Errorf("one interval without a source: %+v", stale)
	}
	clock.Step(4 * interval)
	evaluation := latest(t, e)
	for _, r := range evaluation.Reports {
		if met := condition(t, evaluation, r.Name, v1alpha1.ConditionMet); r.Status.Verdict != v1alpha1.VerdictUnknown ||
			met.Status != metav1.ConditionUnknown || met.Reason != ReasonSourceUnavailable {
			t.Errorf("%s five intervals without a source: %s, %+v", r.Name, r.Status.Verdict, met)
		}
	}
	for _, h := range evaluation.Headrooms {
		if h.Status.Pressure != v1alpha1.PressureUnknown {
			t.Errorf("%s five intervals without a source: %s", h.Name, h.Status.Pressure)
		}
	}
	source.set(nil)
	clock.Step(interval)
	if got := condition(t, latest(t, e), "api-latency-mutating", v1alpha1.ConditionMet); got.Reason == ReasonSourceUnavailable {
		t.Errorf("the source is back, and still %+v", got)
	}
}

// limited is an error of a source that was told when to come back.
type limited struct{ error }

func (limited) RetryAfter() time.Duration { return time.Minute }

func TestRetryAfterIsHonoured(t *testing.T) {
	source := &fakeSource{err: limited{errors.New("429 Too Many Requests")}}
	e, clock := newEvaluator(t, source, fakeCluster{})
	for range 4 { // at 0, 15, 30 and 45 seconds
		latest(t, e)
		clock.Step(interval)
	}
	if source.count() != 1 {
		t.Errorf("%d reads within the minute, want 1", source.count())
	}
	latest(t, e)
	if source.count() != 2 {
		t.Errorf("%d reads after the minute, want 2", source.count())
	}
}

func TestUnknownPriorityLevelsAreNoEmptyList(t *testing.T) {
	e, _ := newEvaluator(t, &fakeSource{}, fakeCluster{err: errors.New("forbidden")})
	evaluation := latest(t, e)
	if evaluation.HeadroomsProblem == nil {
		t.Error("headrooms without priority levels have no problem")
	}
	if len(evaluation.Reports) == 0 {
		t.Error("reports do not need priority levels, and there are none")
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("an evaluator of nothing was made")
	}
}
