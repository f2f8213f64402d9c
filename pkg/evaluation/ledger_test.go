// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/component-base/metrics/testutil"
	testclock "k8s.io/utils/clock/testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

const mutating = "api-latency-mutating"

// traffic is a source of a hundred patches, of which so many were slow.
type traffic struct {
	fakeSource
	slow float64
}

func (s *traffic) Read(ctx context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	reading, err := s.fakeSource.Read(ctx, at, window)
	if err == nil {
		reading.Results[slo.SignalRequestLatency] = sources.Result{Series: []sources.Series{{
			Values:    []string{"", "pods", "", "PATCH", "resource"},
			Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{100 - s.slow, 100}},
		}}}
	}
	return reading, err
}

// withState is newEvaluator with a state directory, at that time.
func withState(t *testing.T, source sources.Source, directory string, at time.Time) (*Evaluator, *testclock.FakeClock, error) {
	t.Helper()
	e, clock := newEvaluator(t, source, fakeCluster{})
	clock.SetTime(at)
	config := e.Config
	config.StateDir = directory
	e, err := New(config)
	return e, clock, err
}

func dayOf(t *testing.T, e *Evaluator) v1alpha1.DayMinutes {
	t.Helper()
	reports := latest(t, e).Reports
	i := slices.IndexFunc(reports, func(r v1alpha1.SLOReport) bool { return r.Name == mutating })
	return *reports[i].Status.Day
}

// wantDay compares good, bad and unknown minutes.
func wantDay(t *testing.T, e *Evaluator, good, bad int32) {
	t.Helper()
	d := dayOf(t, e)
	if d.GoodMinutes != good || d.BadMinutes != bad || d.UnknownMinutes != 1440-good-bad {
		t.Errorf("day %+v, want %d good and %d bad minutes, and the others unknown", d, good, bad)
	}
}

// Minutes are judged whether or not somebody reads, and once each.
func TestRunLedger(t *testing.T) {
	source := &traffic{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { e.RunLedger(ctx); close(ended) }()
	asleep := func() {
		for !clock.HasWaiters() {
			time.Sleep(time.Millisecond)
		}
	}
	asleep()
	if source.count() != 1 {
		t.Errorf("%d reads at the start, want 1", source.count())
	}
	for minute := range 5 {
		source.slow = float64(minute % 2 * 2) // 0, 2, 0, 2, 0
		clock.Step(time.Minute)
		asleep()
	}
	if source.count() != 6 {
		t.Errorf("%d reads in six minutes that nobody read in, want 6", source.count())
	}
	wantDay(t, e, 4, 2)
	// Readers make more evaluations, but no more minutes, and change no verdict.
	source.slow = 2
	clock.Step(interval)
	wantDay(t, e, 4, 2)
	stop()
	<-ended

	days := e.KeyDays(mutating)
	if len(days) != 1 || days[0].Key != (slo.Key{Resource: "pods", Verb: "PATCH"}) || days[0].Day.Good != 4 || days[0].Day.Bad != 2 {
		t.Errorf("days of keys: %+v", days)
	}
}

// The evaluation of a reader does for the minute, and one of the minute before does not.
func TestMinutesShareEvaluations(t *testing.T) {
	source := &traffic{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	clock.SetTime(time.Date(2026, 1, 2, 3, 4, 55, 0, time.UTC))
	judgeMinute := func(wantReads int) {
		t.Helper()
		e.evaluateMinute(t.Context(), clock.Now().Truncate(time.Minute))
		if source.count() != wantReads {
			t.Errorf("at %s: %d reads, want %d", clock.Now(), source.count(), wantReads)
		}
	}
	latest(t, e)
	judgeMinute(1)
	clock.Step(5 * time.Second)
	judgeMinute(2)
	wantDay(t, e, 2, 0)
	judgeMinute(2)
	// A clock that was set back asks for a minute that does not come: that ends.
	e.evaluateMinute(t.Context(), clock.Now().Add(time.Hour))
	if source.count() > 4 {
		t.Errorf("%d reads for a minute in the future", source.count())
	}
}

// What is shown in the place of a reading says nothing of the minute; the day goes on.
func TestMinutesWithoutASource(t *testing.T) {
	source := &traffic{}
	e, clock := newEvaluator(t, source, fakeCluster{})
	wantDay(t, e, 1, 0)
	source.set(errors.New("connection refused"))
	clock.Step(4 * interval) // stale
	wantDay(t, e, 1, 0)
	clock.Step(time.Hour) // unavailable
	wantDay(t, e, 1, 0)
	source.set(nil)
	clock.Step(interval) // the same minute: unknown until now
	wantDay(t, e, 2, 0)
	if d := dayOf(t, e); d.BadMinutesAllowed != 14 || d.GoodRatio != "1" || d.BurnRates[0].Rate != "0" {
		t.Errorf("day %+v", d)
	}
	e.Resources = panicking{}
	clock.Step(time.Minute)
	wantDay(t, e, 2, 0)
}

func TestLedgerOverARestart(t *testing.T) {
	directory := t.TempDir()
	start := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	e, clock, err := withState(t, &traffic{slow: 2}, directory, start)
	if err != nil {
		t.Fatal(err)
	}
	wantDay(t, e, 0, 1)
	clock.Step(time.Minute)
	wantDay(t, e, 0, 2)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	e.RunLedger(ctx) // ends at once, with a checkpoint
	// Half an hour without a server is unknown, and what was known stays.
	again, _, err := withState(t, &traffic{}, directory, start.Add(32*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	wantDay(t, again, 1, 2)
	if d := dayOf(t, again); !d.FirstBadTime.Time.Equal(start) || !d.LastBadTime.Time.Equal(start.Add(time.Minute)) {
		t.Errorf("bad minutes %s to %s", d.FirstBadTime, d.LastBadTime)
	}
	if entries, _ := os.ReadDir(directory); len(entries) != 1 {
		t.Errorf("left in the directory: %v", entries)
	}
	// Another threshold: the minutes do not compare.
	config := again.Config
	config.Objectives = slices.Clone(config.Objectives)
	for i := range config.Objectives {
		config.Objectives[i].Threshold /= 2
	}
	changed, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if len(changed.restored.startedOver) != len(config.Objectives) {
		t.Errorf("started over: %v", changed.restored.startedOver)
	}
}

// A checkpoint that can not be used costs the days, and nothing else.
func TestCorruptCheckpoint(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	for name, content := range map[string][]byte{"empty": {}, "garbage": []byte("slo-ledger or not"), "huge": make([]byte, slo.MaximumLedgerBytes+5)} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			if err := os.WriteFile(filepath.Join(directory, stateName), content, 0o600); err != nil {
				t.Fatal(err)
			}
			e, _, err := withState(t, &traffic{}, directory, start)
			if err != nil {
				t.Fatal(err)
			}
			if e.restored.problem == nil {
				t.Error("nothing is said of it")
			}
			wantDay(t, e, 1, 0)
			aside, err := os.ReadFile(filepath.Join(directory, "ledger.corrupt-20260102T030400Z"))
			if err != nil || len(aside) != len(content) {
				t.Errorf("set aside: %d bytes, %v", len(aside), err)
			}
			e.logRestored(t.Context())
			if !e.checkpoint(t.Context()) {
				t.Error("there is no new one")
			}
		})
	}
}

func TestStateDirectoryThatCanNotBeUsed(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(directory, "odd", stateName), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(directory, "none"): "no such file or directory",
		file:                             "is not a directory",
		filepath.Join(directory, "odd"):  "is a directory", // where the ledger should be
	} {
		if _, _, err := withState(t, &traffic{}, path, time.Unix(1e9, 0)); err == nil ||
			!strings.Contains(err.Error(), "state directory "+path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A disk in trouble is told, and the server goes on; so does what is on the disk.
func TestCheckpointsFail(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	e, _, err := withState(t, &traffic{}, directory, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	registry := registered(t, e)
	wantDay(t, e, 1, 0)
	if !e.checkpoint(t.Context()) {
		t.Error("the first checkpoint failed")
	}
	away := directory + ".away"
	if err := os.Rename(directory, away); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if e.checkpoint(t.Context()) {
			t.Error("a checkpoint into nothing went well")
		}
	}
	wantDay(t, e, 1, 0)
	if err := os.Rename(away, directory); err != nil {
		t.Fatal(err)
	}
	if !e.checkpoint(t.Context()) {
		t.Error("the directory is back, and the checkpoint failed")
	}
	want := `
# HELP slo_apiserver_ledger_checkpoints_total [ALPHA] Attempts to write the ledger to the state directory, by result: ok or error.
# TYPE slo_apiserver_ledger_checkpoints_total counter
slo_apiserver_ledger_checkpoints_total{result="error"} 2
slo_apiserver_ledger_checkpoints_total{result="ok"} 2
# HELP slo_apiserver_ledger_keys [ALPHA] Keys of all objectives whose minutes of the last day are kept.
# TYPE slo_apiserver_ledger_keys gauge
slo_apiserver_ledger_keys 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "slo_apiserver_ledger_checkpoints_total", "slo_apiserver_ledger_keys"); err != nil {
		t.Error(err)
	}
}
