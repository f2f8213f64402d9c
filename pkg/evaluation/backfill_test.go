// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics/testutil"
	testclock "k8s.io/utils/clock/testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// rememberedAt is when the histories of these tests are asked for.
var rememberedAt = time.Date(2026, 1, 2, 12, 0, 5, 0, time.UTC)

// remembering is a historian of a hundred patches in every window. In minutes for
// which slow returns true, two of them were slow. It fails as fail says, before the
// instant it is called with.
type remembering struct {
	slow func(time.Time) bool
	fail func(signal string, at time.Time) error
	// refuse fails before the first instant, and nothing is known when that says so.
	refuse  func(signal string, minutes int) error
	nothing func(time.Time) bool

	mu    sync.Mutex
	asked []string
	block chan struct{}
}

func (r *remembering) ReadHistory(ctx context.Context, h sources.History, each func(*sources.Reading) error) error {
	r.mu.Lock()
	decisive := fmt.Sprint(h.Bounds)
	if len(h.Labels) > 0 {
		decisive = fmt.Sprint(h.Labels)
	}
	r.asked = append(r.asked, fmt.Sprintf("%s %s %s..%s", h.Signal, decisive, h.First.Format("02 15:04"), h.Last.Format("02 15:04")))
	r.mu.Unlock()
	if r.block != nil {
		select {
		case <-r.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.refuse != nil {
		if err := r.refuse(h.Signal, int(h.Last.Sub(h.First)/h.Step)+1); err != nil {
			return err
		}
	}
	for at := h.First; !at.After(h.Last); at = at.Add(h.Step) {
		if r.fail != nil {
			if err := r.fail(h.Signal, at); err != nil {
				return err
			}
		}
		past := &traffic{}
		if r.slow != nil && r.slow(at) {
			past.slow = 2
		}
		reading, err := past.Read(ctx, at, h.Window)
		if err != nil {
			return err
		}
		if h.Signal == requests {
			reading.Results = map[string]sources.Result{requests: answers(past.slow)}
		}
		if h.Signal == slo.SignalPodStartLatency {
			started := sources.Series{Histogram: &sources.Buckets{Bounds: []float64{5, math.Inf(1)}, Counts: []float64{1, 1}}}
			reading.Instances[0].Component = sources.Kubelet
			reading.Results = map[string]sources.Result{h.Signal: {Series: []sources.Series{started}}}
		}
		if r.nothing != nil && r.nothing(at) {
			reading.Results = nil
		}
		if err := each(reading); err != nil {
			return err
		}
	}
	return nil
}

func (r *remembering) questions(signal string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var own []string
	for _, q := range r.asked {
		if of, rest, _ := strings.Cut(q, " "); of == signal {
			own = append(own, rest)
		}
	}
	return own
}

// remembers is an evaluator with a history.
func remembers(t *testing.T, source sources.Source, h sources.Historian, directory string) (*Evaluator, *testclock.FakeClock) {
	t.Helper()
	e, clock := newEvaluator(t, source, fakeCluster{})
	clock.SetTime(rememberedAt)
	config := e.Config
	config.Historian, config.StateDir = h, directory
	e, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return e, clock
}

// runBackfill runs a backfill to its end, and returns how long it waited.
func runBackfill(t *testing.T, e *Evaluator, clock *testclock.FakeClock) (waited time.Duration) {
	t.Helper()
	ended := make(chan struct{})
	began := clock.Now()
	go func() { e.backfill(t.Context(), e.backlogs()); close(ended) }()
	for {
		select {
		case <-ended:
			return clock.Now().Sub(began)
		default:
			if clock.HasWaiters() {
				clock.Step(firstWait) // of which all waits are multiples
			}
			time.Sleep(10 * time.Microsecond)
		}
	}
}

func dayCondition(t *testing.T, e *Evaluator) metav1.Condition {
	t.Helper()
	return condition(t, latest(t, e), mutating, v1alpha1.ConditionDayComplete)
}

func wantDayCondition(t *testing.T, e *Evaluator, status metav1.ConditionStatus, reason string, messages ...string) {
	t.Helper()
	c := dayCondition(t, e)
	if c.Status != status || c.Reason != reason {
		t.Errorf("DayComplete is %s, %s (%s), want %s, %s", c.Status, c.Reason, c.Message, status, reason)
	}
	for _, message := range messages {
		if !strings.Contains(c.Message, message) {
			t.Errorf("DayComplete says %q, want %q in it", c.Message, message)
		}
	}
}

// A server without a past gets one, the newest hour first.
func TestBackfillADay(t *testing.T) {
	noon := rememberedAt.Truncate(time.Minute)
	h := &remembering{slow: func(at time.Time) bool { return at.Equal(noon.Add(-3 * time.Hour)) }}
	e, clock := remembers(t, &traffic{}, h, "")
	registry := registered(t, e)
	wantDay(t, e, 1, 0)
	waited := runBackfill(t, e, clock)
	clock.Step(interval)
	wantDay(t, e, 1439, 1)
	wantDayCondition(t, e, metav1.ConditionTrue, ReasonAllMinutesKnown)
	if d := dayOf(t, e); !d.FirstBadTime.Time.Equal(noon.Add(-3 * time.Hour)) {
		t.Errorf("the bad minute is %s", d.FirstBadTime)
	}
	if days := e.KeyDays(mutating); len(days) != 1 || days[0].Day.Good != 1439 {
		t.Errorf("days of keys: %+v", days)
	}
	questions := h.questions(slo.SignalRequestLatency)
	if len(questions) != 24 || questions[0] != "[1 30] 02 11:00..02 11:59" || questions[23] != "[1 30] 01 12:01..01 12:59" || waited != 0 {
		t.Errorf("waited %s; asked for %q", waited, questions)
	}
	if questions = h.questions(slo.SignalPodStartLatency); len(questions) != 24 || questions[1] != "[5] 02 10:00..02 10:59" {
		t.Errorf("asked for %q", questions)
	}
	want := `
# HELP slo_apiserver_ledger_backfill_chunks_total [ALPHA] Attempts to read an hour or less from the history of the source, by result: ok or error.
# TYPE slo_apiserver_ledger_backfill_chunks_total counter
slo_apiserver_ledger_backfill_chunks_total{result="ok"} 48
# HELP slo_apiserver_ledger_backfill_left [ALPHA] Minutes that are still to be read from the history of the source, for each signal on its own.
# TYPE slo_apiserver_ledger_backfill_left gauge
slo_apiserver_ledger_backfill_left 0
# HELP slo_apiserver_ledger_backfilled_verdicts_total [ALPHA] Verdicts on minutes of objectives that were filled in from the history of the source.
# TYPE slo_apiserver_ledger_backfilled_verdicts_total counter
slo_apiserver_ledger_backfilled_verdicts_total 7195
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "slo_apiserver_ledger_backfill_chunks_total",
		"slo_apiserver_ledger_backfill_left", "slo_apiserver_ledger_backfilled_verdicts_total"); err != nil {
		t.Error(err)
	}
}

// Only what is not known is asked for, and what is known stands.
func TestBackfillGaps(t *testing.T) {
	noon := rememberedAt.Truncate(time.Minute)
	h := &remembering{}
	e, clock := remembers(t, &traffic{}, h, "")
	bad := []slo.Minute{{Objective: mutating, Verdict: v1alpha1.VerdictViolated}}
	for _, o := range e.Objectives {
		if o.Name != mutating {
			bad = append(bad, slo.Minute{Objective: o.Name, Verdict: v1alpha1.VerdictMet})
		}
	}
	for i := 1439; i > 0; i-- {
		if i == 600 || i >= 95 && i < 180 || i == 20 || i == 22 {
			continue
		}
		minutes := bad
		if i == 30 { // of one objective alone it is not known
			minutes = bad[1:]
		}
		e.days.ledger.Record(noon.Add(time.Duration(-i)*time.Minute), minutes)
	}
	wantDay(t, e, 1, 1439-89)
	runBackfill(t, e, clock)
	clock.Step(interval)
	wantDay(t, e, 1+89, 1439-89)
	want := []string{"[1 30] 02 11:30..02 11:40", "[1 30] 02 09:26..02 10:25", "[1 30] 02 09:01..02 09:25", "[1 30] 02 02:00..02 02:00"}
	if got := h.questions(slo.SignalRequestLatency); !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	want = []string{"[5] 02 11:38..02 11:40", "[5] 02 09:26..02 10:25", "[5] 02 09:01..02 09:25", "[5] 02 02:00..02 02:00"}
	if got := h.questions(slo.SignalPodStartLatency); !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

// busy is what a source says that wants to be left alone for that long.
type busy time.Duration

func (busy) Error() string               { return "too many requests" }
func (b busy) RetryAfter() time.Duration { return time.Duration(b) }

// After an error the rest is read next, in parts, and so are the hours that follow.
// Once an hour went well it is hours again.
func TestBackfillResumes(t *testing.T) {
	failures := 0
	h := &remembering{}
	h.fail = func(signal string, at time.Time) error {
		if signal == slo.SignalRequestLatency && failures == 0 && at.Format("15:04") == "10:20" {
			failures++
			return errors.New("connection reset")
		}
		return nil
	}
	e, clock := remembers(t, &traffic{}, h, "")
	wantDay(t, e, 1, 0)
	if waited := runBackfill(t, e, clock); waited != firstWait {
		t.Errorf("waited %s, want %s", waited, firstWait)
	}
	questions := h.questions(slo.SignalRequestLatency)
	want := []string{
		"[1 30] 02 11:00..02 11:59", "[1 30] 02 10:00..02 10:59",
		// Ten o'clock to twenty past was read before the error, and stands.
		"[1 30] 02 10:30..02 10:59", "[1 30] 02 10:20..02 10:29",
		"[1 30] 02 09:30..02 09:59", "[1 30] 02 09:00..02 09:29", "[1 30] 02 08:00..02 08:59",
	}
	if len(questions) != 27 || !slices.Equal(questions[:7], want) {
		t.Errorf("asked for %q", questions)
	}
	clock.Step(interval)
	if d := dayOf(t, e); d.UnknownMinutes > 1 {
		t.Errorf("day %+v", d)
	}
}

// A source that asks for it is left alone, but not for a day, and asked again.
func TestBackfillBusy(t *testing.T) {
	told := []error{busy(5 * time.Minute), busy(time.Second), busy(24 * time.Hour), nil}
	h := &remembering{}
	h.fail = func(string, time.Time) error {
		err := told[0]
		told = told[min(1, len(told)-1):]
		return err
	}
	e, clock := remembers(t, &traffic{}, h, "")
	e.days.definitions.Objectives = slices.DeleteFunc(slices.Clone(e.Objectives), func(o slo.Objective) bool { return o.Signal != slo.SignalRequestLatency })
	if waited, want := runBackfill(t, e, clock), 5*time.Minute+2*firstWait+longestTold; waited != want {
		t.Errorf("waited %s, want %s", waited, want)
	}
	questions := h.questions(slo.SignalRequestLatency)
	// The oldest hour has gone from the day meanwhile, and is not asked for.
	if len(questions) != 26 || questions[23] != "[1 30] 02 11:00..02 11:59" {
		t.Errorf("asked for %q", questions)
	}
}

// A source that is down is not asked for ever, and the reports say why.
func TestBackfillGivesUp(t *testing.T) {
	down := errors.New("connection refused")
	h := &remembering{fail: func(string, time.Time) error { return down }}
	e, clock := remembers(t, &traffic{}, h, "")
	wantDay(t, e, 1, 0)
	waited := runBackfill(t, e, clock)
	if len(h.asked) != 2*mostFailures || waited < time.Hour || waited > 2*time.Hour {
		t.Errorf("asked %d times in %s", len(h.asked), waited)
	}
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfillFailed,
		"1439 of 1439 minutes could not be read from the source", "connection refused", "when this server restarts")

	// Of one signal alone: its own reports say so.
	h = &remembering{fail: func(signal string, _ time.Time) error {
		if signal == slo.SignalRequestLatency {
			return down
		}
		return nil
	}}
	e, clock = remembers(t, &traffic{}, h, "")
	wantDay(t, e, 1, 0)
	runBackfill(t, e, clock)
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfillFailed, "1439 of 1439 minutes could not be read", "connection refused")
	if c := condition(t, latest(t, e), slo.PodStartupLatency, v1alpha1.ConditionDayComplete); c.Reason != ReasonMinutesUnknown {
		t.Errorf("pods: %+v", c)
	}
	// For a day: then they are gone.
	clock.Step(day)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonMinutesUnknown, "read from it some minutes after it does")
}

// A panic of the source costs a chunk, and which resources count has to be known.
func TestBackfillGuards(t *testing.T) {
	calls := 0
	h := &remembering{}
	h.fail = func(string, time.Time) error {
		if calls++; calls == 70 {
			panic("index out of range [7]")
		}
		return nil
	}
	e, clock := remembers(t, &traffic{}, h, "")
	wantDay(t, e, 1, 0)
	runBackfill(t, e, clock)
	clock.Step(interval)
	if d := dayOf(t, e); d.UnknownMinutes > 1 {
		t.Errorf("day %+v", d)
	}
	h = &remembering{}
	e, clock = remembers(t, &traffic{}, h, "")
	e.Resources = unclassified{}
	runBackfill(t, e, clock)
	if len(h.asked) > 0 {
		t.Errorf("asked %q without knowing which resources count", h.asked)
	}
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfillFailed, "which resources are built in is not known: no discovery")
}

type unclassified struct{}

func (unclassified) Classes() (*slo.Resources, error) { return nil, errors.New("no discovery") }

// The backfill runs beside the minutes, its condition follows, and it ends with ctx.
func TestRunLedgerBackfills(t *testing.T) {
	h := &remembering{block: make(chan struct{})}
	directory := t.TempDir()
	e, clock := remembers(t, &traffic{}, h, directory)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { e.RunLedger(ctx); close(ended) }()
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never: %s", what)
			}
		}
	}
	asked := func(n int) func() bool {
		return func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.asked) >= n }
	}
	until("the first chunk", asked(1))
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfilling, "1439 minutes of the last 24 hours are unknown", "0 of 1439 minutes so far")
	began := dayCondition(t, e).LastTransitionTime
	h.block <- struct{}{}
	h.block <- struct{}{} // of each signal
	until("the third chunk", asked(3))
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfilling, "60 of 1439 minutes so far")
	if c := dayCondition(t, e); !c.LastTransitionTime.Equal(&began) {
		t.Errorf("the transition is of %s, want %s", c.LastTransitionTime, began)
	}
	// The history does not answer, and the minutes go on.
	until("asleep", clock.HasWaiters)
	clock.Step(time.Minute)
	until("asleep", clock.HasWaiters)
	wantDay(t, e, 62, 0)
	stop()
	<-ended
	if asked(4)() {
		t.Error("chunks were asked for after the end")
	}
	// What was filled in is in the checkpoint; the rest goes on after the restart.
	again, clock := remembers(t, &traffic{}, h, directory)
	clock.SetTime(rememberedAt.Add(2 * time.Minute))
	close(h.block)
	wantDay(t, again, 63, 0)
	runBackfill(t, again, clock)
	clock.Step(interval)
	wantDayCondition(t, again, metav1.ConditionTrue, ReasonAllMinutesKnown)
	questions := h.questions(slo.SignalRequestLatency)
	if got := questions[len(questions)-23]; got != "[1 30] 02 10:00..02 10:59" {
		t.Errorf("asked first for %s after the restart", got)
	}
}

// A checkpoint that was set aside is in every report, for a day.
func TestCheckpointSetAsideCondition(t *testing.T) {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, stateName), []byte("slo-ledger"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &remembering{}
	e, clock := remembers(t, &traffic{}, h, directory)
	aside := "was set aside as " + filepath.Join(directory, "ledger.corrupt-20260102T120005Z") + ": keep it to find out why, or delete it"
	for _, report := range latest(t, e).Reports {
		c := condition(t, latest(t, e), report.Name, v1alpha1.ConditionDayComplete)
		if c.Status != metav1.ConditionFalse || c.Reason != ReasonCheckpointSetAside || !strings.Contains(c.Message, "can not be used (cut short) and "+aside) {
			t.Errorf("%s: %+v", report.Name, c)
		}
	}
	transition := dayCondition(t, e).LastTransitionTime
	clock.Step(time.Hour)
	if c := dayCondition(t, e); !c.LastTransitionTime.Equal(&transition) {
		t.Errorf("the transition is of %s, want %s", c.LastTransitionTime, transition)
	}
	runBackfill(t, e, clock)
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionTrue, ReasonAllMinutesKnown, aside)
	clock.Step(24 * time.Hour)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonMinutesUnknown)
	for _, unknown := range []int32{0, 7} {
		if c := e.dayComplete(e.Objectives[0], unknown, clock.Now()); strings.Contains(c.Message, "aside") {
			t.Errorf("after a day it still says %q", c.Message)
		}
	}
}

// What the days lack for other reasons.
func TestDayConditionReasons(t *testing.T) {
	e, _ := remembers(t, &traffic{}, nil, "")
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonStarted, "1439 minutes of the last 24 hours are unknown: this server evaluates since 2026-01-02T12:00:05Z, and has a whole day at 2026-01-03T12:00:05Z; with --state-dir")
	directory := t.TempDir()
	e, clock := remembers(t, &traffic{}, nil, directory)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonStarted)
	if c := dayCondition(t, e); strings.Contains(c.Message, "--state-dir") {
		t.Errorf("with a state directory: %s", c.Message)
	}
	e.checkpoint(t.Context())
	again, _ := remembers(t, &traffic{}, nil, directory)
	wantDayCondition(t, again, metav1.ConditionFalse, ReasonMinutesUnknown, "had no evaluation, or none with a verdict")
	config := again.Config
	config.Objectives = slices.Clone(config.Objectives)
	config.Objectives[0].Threshold *= 2
	config.Clock = clock
	changed, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	wantDayCondition(t, changed, metav1.ConditionFalse, ReasonObjectiveChanged, "another definition of this objective")
}
