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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// definitions are those in force, to be changed.
func definitions(e *Evaluator) Definitions {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	d := *e.days.definitions
	d.Objectives = slices.Clone(d.Objectives)
	return d
}

func replace(t *testing.T, e *Evaluator, d Definitions) {
	t.Helper()
	if err := e.Replace(d); err != nil {
		t.Fatal(err)
	}
}

// An objective that is changed begins a day and says so; the others keep theirs.
func TestReplaceKeepsDays(t *testing.T) {
	e, clock := newEvaluator(t, &traffic{}, fakeCluster{})
	for range 3 {
		latest(t, e)
		clock.Step(time.Minute)
	}
	wantDay(t, e, 4, 0)
	d := definitions(e)
	d.Objectives[0].MinimumRequests = 7
	d.Objectives[1].Threshold = time.Second
	replace(t, e, d)
	// Not before the next evaluation: a list is of one piece.
	if got := latest(t, e).Reports[0].Spec.MinimumRequests; got != slo.DefaultMinimumRequests {
		t.Errorf("the minimum is %d within an evaluation", got)
	}
	clock.Step(time.Minute)
	evaluation := latest(t, e)
	if got := evaluation.Reports[0].Spec.MinimumRequests; got != 7 {
		t.Errorf("the minimum is %d after the next", got)
	}
	wantDay(t, e, 5, 0)
	if got := evaluation.Reports[1].Spec.ThresholdMilliseconds; got != 1000 {
		t.Errorf("the threshold is %d ms", got)
	}
	changed := condition(t, evaluation, slo.APILatencyReadOnlyCluster, v1alpha1.ConditionDayComplete)
	if want := "defined as it is since " + clock.Now().UTC().Format(time.RFC3339); changed.Reason != ReasonObjectiveChanged || !strings.Contains(changed.Message, want) {
		t.Errorf("got %+v, want %q", changed, want)
	}
	if same := condition(t, evaluation, slo.APILatencyReadOnlyResource, v1alpha1.ConditionDayComplete); same.Reason != ReasonStarted {
		t.Errorf("an objective that is as it was: %+v", same)
	}
}

func TestReplaceRefuses(t *testing.T) {
	e, clock := newEvaluator(t, &traffic{}, fakeCluster{})
	good := definitions(e)
	for name, change := range map[string]func(*Definitions){
		"no source":     func(d *Definitions) { d.Source = nil },
		"no objectives": func(d *Definitions) { d.Objectives = nil },
		"the same name": func(d *Definitions) { d.Objectives[1].Name = d.Objectives[0].Name },
	} {
		d := definitions(e)
		change(&d)
		if err := e.Replace(d); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	clock.Step(interval)
	if got := len(latest(t, e).Reports); got != len(good.Objectives) {
		t.Errorf("%d reports", got)
	}
}

// problems of a file, as they are told in one line.
type problems struct{}

func (problems) Error() string   { return "o.yaml:3: x\no.yaml:4: y" }
func (problems) Summary() string { return "o.yaml:3: x (and 1 more)" }

// Every report says whether the file is in force, and since when it is not.
func TestObjectivesCurrent(t *testing.T) {
	source := &traffic{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	for _, c := range latest(t, e).Reports[0].Status.Conditions {
		if c.Type == v1alpha1.ConditionObjectivesCurrent {
			t.Error("without a file there is nothing to say")
		}
	}
	loaded := clock.Now()
	d := definitions(e)
	d.File = &FileState{Name: "o.yaml", Loaded: loaded}
	replace(t, e, d)
	clock.Step(interval)
	good := condition(t, latest(t, e), slo.PodStartupLatency, v1alpha1.ConditionObjectivesCurrent)
	if good.Status != metav1.ConditionTrue || good.Reason != ReasonFileLoaded {
		t.Errorf("got %+v", good)
	}
	d.File = &FileState{Name: "o.yaml", Loaded: loaded, Problem: problems{}}
	replace(t, e, d)
	clock.Step(interval)
	bad := condition(t, latest(t, e), slo.PodStartupLatency, v1alpha1.ConditionObjectivesCurrent)
	if bad.Status != metav1.ConditionFalse || bad.Reason != ReasonFileInvalid || !strings.HasSuffix(bad.Message, "o.yaml:3: x (and 1 more)") {
		t.Errorf("got %+v", bad)
	}
	since := bad.LastTransitionTime
	d.File = &FileState{Name: "o.yaml", Loaded: loaded, Problem: errors.New("another")}
	d.Source = &fakeSource{err: errors.New("down")} // also where there are no figures
	replace(t, e, d)
	clock.Step(interval)
	if still := condition(t, latest(t, e), slo.PodStartupLatency, v1alpha1.ConditionObjectivesCurrent); still.LastTransitionTime != since {
		t.Errorf("got %+v, since %s", still, since)
	}
}

// A signal that the source does not read yet is no metric that the cluster lacks.
func TestUnreadSignals(t *testing.T) {
	e, clock := newEvaluator(t, &traffic{}, fakeCluster{})
	d := definitions(e)
	d.Unread = map[string]slo.Unread{slo.SignalPodStartLatency: {Reason: "SignalPending", Message: "read since 12:00"}}
	replace(t, e, d)
	clock.Step(interval)
	if met := condition(t, latest(t, e), slo.PodStartupLatency, v1alpha1.ConditionMet); met.Reason != "SignalPending" || met.Status != metav1.ConditionUnknown {
		t.Errorf("got %+v", met)
	}
}

// A new source is not stood in for by a reading of the old one.
func TestReplaceSource(t *testing.T) {
	e, clock := newEvaluator(t, &traffic{}, fakeCluster{})
	latest(t, e)
	d := definitions(e)
	d.Source = &fakeSource{err: errors.New("not yet")}
	replace(t, e, d)
	clock.Step(interval)
	evaluation := latest(t, e)
	if met := condition(t, evaluation, slo.APILatencyMutating, v1alpha1.ConditionMet); met.Reason != ReasonSourceUnavailable || evaluation.Reading != nil {
		t.Errorf("got %+v", met)
	}
}

// What is asked of the history follows the objectives: the day of one that is new is
// read, and what is read for one that is gone is not recorded.
func TestBackfillFollowsObjectives(t *testing.T) {
	h := &remembering{}
	e, clock := remembers(t, &traffic{}, h, "")
	latest(t, e)
	runBackfill(t, e, clock)
	if e.backlogs() != nil {
		t.Fatal("the whole day was read, and is asked for again")
	}
	d := definitions(e)
	d.Objectives[0].Threshold = 2 * time.Second
	replace(t, e, d)
	clock.Step(interval)
	latest(t, e)
	before := len(h.questions(slo.SignalRequestLatency))
	runBackfill(t, e, clock)
	if got := len(h.questions(slo.SignalRequestLatency)) - before; got != 24 {
		t.Errorf("%d hours were asked for", got)
	}
	clock.Step(interval)
	if got := dayOf(t, e); got.GoodMinutes < 1430 {
		t.Errorf("the day is %+v", got)
	}
}

func TestBackfillOfReplacedObjectives(t *testing.T) {
	var e *Evaluator
	again := 0
	h := &remembering{fail: func(signal string, _ time.Time) error {
		if again++; again == 5 && signal == slo.SignalRequestLatency {
			d := definitions(e)
			d.Objectives[0].Threshold = 2 * time.Second
			if err := e.Replace(d); err != nil {
				return err
			}
			e.adopt(e.Clock.Now())
		}
		return nil
	}}
	e, _ = remembers(t, &traffic{}, h, "")
	minutes := []time.Time{rememberedAt.Add(-10 * time.Minute).Truncate(time.Minute), rememberedAt.Truncate(time.Minute)}
	rest, err := e.fill(t.Context(), extent{signal: slo.SignalRequestLatency}, chunk{first: minutes[0], last: minutes[1], step: time.Minute})
	if !errors.Is(err, errRedefined) || rest.first.Sub(minutes[0]) != 4*time.Minute {
		t.Errorf("rest from %s, %v", rest.first, err)
	}
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	if day := e.days.ledger.Day(slo.APILatencyMutating, rememberedAt); day.Good != 0 {
		t.Errorf("minutes by another definition were recorded: %+v", day)
	}
	if day := e.days.ledger.Day(slo.APILatencyReadOnlyResource, rememberedAt); day.Unknown == 1440 {
		t.Errorf("an objective that is as it was has lost its minutes: %+v", day)
	}
}

// Definitions change while everybody reads. Every evaluation is of one piece: as many
// reports as one of them has, all by the same one.
func TestReplaceConcurrently(t *testing.T) {
	e, clock := newEvaluator(t, &traffic{}, fakeCluster{})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.RunLedger(ctx) })
	for range 3 {
		running.Go(func() {
			for ctx.Err() == nil {
				evaluation, err := e.Latest(ctx)
				if err != nil {
					continue
				}
				first := evaluation.Reports[0].Spec.MinimumRequests
				for _, r := range evaluation.Reports {
					if r.Spec.MinimumRequests != first || len(evaluation.Reports) != int(5-first%2) {
						t.Errorf("%d reports, minimum %d and %d", len(evaluation.Reports), first, r.Spec.MinimumRequests)
						cancel()
					}
				}
				if _, err := evaluation.Indicators(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	base := definitions(e)
	for i := range 200 {
		d := base
		d.Objectives = slices.Clone(base.Objectives[:5-i%2])
		for j := range d.Objectives {
			d.Objectives[j].MinimumRequests = int64(i)
		}
		d.Source = []sources.Source{&traffic{}, base.Source}[i%2]
		replace(t, e, d)
		clock.Step(interval)
		if _, err := e.Latest(ctx); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	running.Wait()
}
