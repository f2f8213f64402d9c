// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/component-base/metrics/testutil"
	testclock "k8s.io/utils/clock/testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/sources"
)

// recent is a source that knows what was since it began: of one kube-apiserver, which
// answers everything well.
type recent struct {
	signals []sources.Signal
	clock   *testclock.FakeClock
	began   time.Time
	running chan struct{} // closed at the end
}

func (s *recent) Read(_ context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	first := at.Add(-window)
	if s.began.After(first) {
		first = s.began
	}
	reading := &sources.Reading{
		At: at, Window: window, Rule: sources.Exact, Results: map[string]sources.Result{},
		Instances: []sources.Instance{{Component: sources.KubeAPIServer, Name: "a", Observed: true, First: first, Last: at}},
	}
	for _, signal := range s.signals {
		one := sources.Series{
			Values: make([]string, len(signal.Labels)), Increase: 1000,
			Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{1000, 1000}},
		}
		for i, label := range signal.Labels {
			switch values := signal.Match[label]; {
			case len(values) > 0:
				one.Values[i] = values[0]
			case label == "code":
				one.Values[i] = "200"
			}
		}
		reading.Results[signal.Name] = sources.Result{Metrics: signal.Metrics[:1], Series: []sources.Series{one}}
	}
	return reading, nil
}

// ReadHistory makes it a source with a past.
type withPast struct{ *recent }

func (withPast) ReadHistory(context.Context, sources.History, func(*sources.Reading) error) error {
	return nil
}

// reloading is a reload at work, on a file that is written by the test.
type reloading struct {
	*reload
	t     *testing.T
	clock *testclock.FakeClock
	mu    sync.Mutex
	built []*recent
	fail  error
}

const fileHeader = "apiVersion: " + objectives.APIVersion + "\nkind: " + objectives.Kind + "\n"

// availability needs a signal that is not read by default.
const availability = `objectives:
- name: availability
  description: d
  signal: api-requests
  bad: {code: [5xx]}
  goodRatio: "0.999"
`

func newReloading(t *testing.T, past bool) *reloading {
	t.Helper()
	clock := testclock.NewFakeClock(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC))
	r := &reloading{t: t, clock: clock}
	r.reload = &reload{
		file:  &objectivesFile{path: filepath.Join(t.TempDir(), "objectives.yaml"), window: DefaultWindow, minimumRequests: DefaultMinimumRequests},
		clock: clock, window: DefaultWindow, metrics: newReloadMetrics(), sourceMetrics: &sourceMetrics{},
	}
	r.build = func(signals []sources.Signal) (*source, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.fail != nil {
			return nil, r.fail
		}
		s := &recent{signals: signals, clock: clock, began: clock.Now(), running: make(chan struct{})}
		r.built = append(r.built, s)
		of := &source{Source: s, run: func(ctx context.Context) { <-ctx.Done(); close(s.running) }}
		if past {
			s.began = time.Time{}
			of.historian = withPast{s}
		}
		return of, nil
	}
	r.write("")
	definitions, _, err := r.file.load()
	if err != nil {
		t.Fatal(err)
	}
	r.definitions, r.state = definitions, evaluation.FileState{Name: r.file.path, Loaded: clock.Now()}
	first, err := r.build(readable(definitions))
	if err != nil {
		t.Fatal(err)
	}
	r.current = &runningSource{source: first, signals: readable(definitions)}
	d := r.inEffect()
	r.evaluator, err = evaluation.New(evaluation.Config{
		Source: d.Source, Historian: d.Historian, Objectives: d.Objectives, Unread: d.Unread, File: d.File,
		Resources: fakeCluster{}, FlowControl: fakeCluster{}, Window: DefaultWindow,
		Interval: time.Second, Timeout: time.Second, MaxAge: time.Minute, Clock: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range r.registerable() {
		metric.Create(nil)
	}
	clock.Step(DefaultWindow) // the first source has a window
	r.current.start(t.Context(), clock.Now())
	t.Cleanup(func() { r.current.end(); r.next.end() })
	return r
}

func (r *reloading) write(body string) {
	r.t.Helper()
	if err := os.WriteFile(r.file.path, []byte(fileHeader+body), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// settling is how long a change takes to come into force: two looks.
const settling = 2 * objectivesInterval

// tick is two turns of Run, after so long in all.
func (r *reloading) tick(after time.Duration) {
	for range 2 {
		r.clock.Step(after / 2)
		r.look(r.t.Context())
		r.takeOver(r.t.Context())
	}
	r.clock.Step(time.Second) // the next evaluation
}

// met is the verdict and the reason of a report; empty without one.
func (r *reloading) met(name string) (verdict, reason string) {
	r.t.Helper()
	latest, err := r.evaluator.Latest(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	i := slices.IndexFunc(latest.Reports, func(report v1alpha1.SLOReport) bool { return report.Name == name })
	if i < 0 {
		return "", ""
	}
	status := latest.Reports[i].Status
	return string(status.Verdict), meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionMet).Reason
}

func (r *reloading) fileCondition() string {
	r.t.Helper()
	latest, err := r.evaluator.Latest(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	c := meta.FindStatusCondition(latest.Reports[0].Status.Conditions, v1alpha1.ConditionObjectivesCurrent)
	return string(c.Status) + " " + c.Message
}

func (r *reloading) want(name, verdict, reason string) {
	r.t.Helper()
	if gotVerdict, gotReason := r.met(name); gotVerdict != verdict || gotReason != reason {
		r.t.Errorf("at %s: %s is %q for %q, want %q for %q", r.clock.Now().Format(time.TimeOnly), name, gotVerdict, gotReason, verdict, reason)
	}
}

// The embedded source has no past: a second one reads beside it until it covers a
// window. Until then nothing is said of the new signal, and everything else goes on.
func TestReloadNewSignals(t *testing.T) {
	r := newReloading(t, false)
	const other = "api-latency-readonly-resource"
	r.tick(settling)
	r.want(other, "NoTraffic", "NoTraffic")
	r.want("availability", "", "")
	r.write(availability)
	r.tick(settling)
	if len(r.built) != 2 || r.next == nil {
		t.Fatalf("%d sources", len(r.built))
	}
	for range int(DefaultWindow/settling) - 2 {
		r.want("availability", "Unknown", "SignalPending")
		r.want(other, "NoTraffic", "NoTraffic")
		r.tick(settling - time.Second)
	}
	for range 6 {
		r.tick(settling)
		r.want(other, "NoTraffic", "NoTraffic")
	}
	r.want("availability", "Met", "AllKeysHold")
	if r.next != nil || r.current.Source != sources.Source(r.built[1]) {
		t.Error("the second source has not taken over")
	}
	select {
	case <-r.built[0].running:
	default:
		t.Error("the first source goes on")
	}
	// What needs no new signal needs no new source.
	r.write("")
	r.tick(settling)
	r.want("availability", "", "")
	if len(r.built) != 2 {
		t.Errorf("%d sources", len(r.built))
	}
}

// A file that changes again, before its source has taken over, is not held up.
func TestReloadAgainMeanwhile(t *testing.T) {
	r := newReloading(t, false)
	r.write(availability)
	r.tick(settling)
	r.write("profiles: [informational]\n" + availability)
	r.tick(settling)
	if len(r.built) != 3 {
		t.Fatalf("%d sources", len(r.built))
	}
	<-r.built[1].running
	r.want("watch-latency", "Unknown", "SignalPending")
	r.want("network-programming-latency", "Unknown", "ComponentNotRead")
	r.write("")
	r.tick(settling)
	<-r.built[2].running
	if r.next != nil {
		t.Error("a source is there that nobody needs")
	}
}

// A source with a past takes over at once.
func TestReloadWithAPast(t *testing.T) {
	r := newReloading(t, true)
	r.write(availability)
	r.tick(settling)
	r.want("availability", "Met", "AllKeysHold")
	<-r.built[0].running
}

// A bad file leaves in force what is, and every report says so, with the line, until
// it is right again.
func TestReloadBadFile(t *testing.T) {
	r := newReloading(t, false)
	r.write("objectives:\n- {name: api-latency-mutating, threshold: 600ms}\n")
	r.tick(settling)
	for name, spoil := range map[string]func(){
		"objectives.yaml:4: objectives[0].threshold": func() { r.write("objectives:\n- {name: api-latency-mutating, threshold: 601ms}\n") },
		"objectives.yaml:4: signals[0].name": func() {
			r.write("signals:\n- {name: apf-rejected-requests, component: kube-apiserver, type: Counter, metrics: [a]}\n")
		},
		"objectives.yaml:4: signals[0].metrics[0]": func() {
			r.write("signals:\n- {name: s, component: kube-apiserver, type: Counter, metrics: [apiserver_request_duration_seconds]}\n")
		},
		"no such file":        func() { _ = os.Remove(r.file.path) },
		"can not be read: no": func() { r.fail = errors.New("no"); r.write(availability) },
	} {
		spoil()
		r.tick(settling)
		r.fail = nil
		if got := r.fileCondition(); !strings.HasPrefix(got, "False ") || !strings.Contains(got, name) {
			t.Errorf("got %q, want %q", got, name)
		}
		latest, err := r.evaluator.Latest(t.Context())
		if err != nil || latest.Reports[0].Spec.ThresholdMilliseconds != 600 || len(latest.Reports) != 5 {
			t.Errorf("%s: the objectives of before are not in force: %+v, %v", name, latest.Reports[0].Spec, err)
		}
		if got, err := testutil.GetGaugeMetricValue(r.metrics.current); err != nil || got != 0 {
			t.Errorf("%s: current is %v, %v", name, got, err)
		}
		r.write("objectives:\n- {name: api-latency-mutating, threshold: 600ms}\n")
		r.tick(settling)
		if got := r.fileCondition(); !strings.HasPrefix(got, "True ") {
			t.Errorf("%s: got %q after the file is right again", name, got)
		}
	}
}

// What keeps a good file from being in force may pass: it is tried again.
func TestReloadTriesAgain(t *testing.T) {
	r := newReloading(t, true)
	r.fail = errors.New("no")
	r.write(availability)
	for range 3 {
		r.tick(settling)
		if got := r.fileCondition(); !strings.HasPrefix(got, "False ") {
			t.Errorf("got %q", got)
		}
	}
	if got, err := testutil.GetCounterMetricValue(r.metrics.loads.WithLabelValues("error")); err != nil || got != 1 {
		t.Errorf("%v errors were told, %v", got, err)
	}
	r.fail = nil
	r.tick(settling)
	r.want("availability", "Met", "AllKeysHold")
	if got := r.fileCondition(); !strings.HasPrefix(got, "True ") {
		t.Errorf("got %q", got)
	}
}

// A file that is written in place is not taken for what it is half way, whether that
// is good or bad.
func TestReloadHalfWritten(t *testing.T) {
	r := newReloading(t, false)
	threshold := func() int64 {
		latest, err := r.evaluator.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return latest.Reports[0].Spec.ThresholdMilliseconds
	}
	before := threshold()
	for _, half := range []string{"", "objectives:\n- {name: api-latency-mutating, threshold: 60", "objectives: []\n"} {
		r.write(half)
		r.clock.Step(objectivesInterval)
		r.look(t.Context())
		r.clock.Step(time.Second)
		if got, condition := threshold(), r.fileCondition(); got != before || !strings.HasPrefix(condition, "True ") {
			t.Errorf("half way %q: %d, %s", half, got, condition)
		}
	}
	r.write("objectives:\n- {name: api-latency-mutating, threshold: 600ms}\n")
	r.tick(settling)
	if got := threshold(); got != 600 {
		t.Errorf("in the end: %d", got)
	}
}

// The volume of a ConfigMap: a link to a link that is replaced. Only the content counts.
func TestReloadOfAConfigMap(t *testing.T) {
	r := newReloading(t, false)
	directory := filepath.Dir(r.file.path)
	version := func(name, body string) {
		t.Helper()
		real := filepath.Join(directory, name)
		if err := errors.Join(os.Mkdir(real, 0o700), os.WriteFile(filepath.Join(real, "o.yaml"), []byte(fileHeader+body), 0o600),
			os.Symlink(name, filepath.Join(directory, "..tmp")), os.Rename(filepath.Join(directory, "..tmp"), filepath.Join(directory, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", "objectives:\n- {name: api-latency-mutating, threshold: 600ms}\n")
	if err := errors.Join(os.Remove(r.file.path), os.Symlink("..data/o.yaml", r.file.path)); err != nil {
		t.Fatal(err)
	}
	r.tick(settling)
	loaded := r.state.Loaded
	version("..2", "objectives:\n- {name: api-latency-mutating, threshold: 600ms}\n")
	r.tick(settling)
	if !r.state.Loaded.Equal(loaded) {
		t.Error("the same content was loaded again")
	}
	version("..3", "objectives:\n- {name: api-latency-mutating, threshold: 800ms}\n")
	r.tick(settling)
	if latest, err := r.evaluator.Latest(t.Context()); err != nil || latest.Reports[0].Spec.ThresholdMilliseconds != 800 {
		t.Errorf("%+v, %v", latest.Reports[0].Spec, err)
	}
}

// Readers, the ledger and reloads at the same time.
func TestReloadConcurrently(t *testing.T) {
	r := newReloading(t, false)
	r.current.end()
	r.current.source.run = func(ctx context.Context) { <-ctx.Done() }
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	running.Go(func() { r.evaluator.RunLedger(ctx) })
	for range 2 {
		running.Go(func() {
			for ctx.Err() == nil {
				if latest, err := r.evaluator.Latest(ctx); err == nil && len(latest.Reports) < 5 {
					t.Errorf("%d reports", len(latest.Reports))
				}
				_, _ = r.sourceMetrics.Gather()
			}
		})
	}
	r.awaitLoads(1) // that of the start, when Run has its ticker
	for i := range 100 {
		r.write([]string{availability, "profiles: [informational]\n", "spoiled", ""}[i%4])
		r.awaitLoads(i + 2)
	}
	cancel()
	running.Wait()
}

// awaitLoads goes on looking until that many files were loaded, good ones and bad ones.
func (r *reloading) awaitLoads(want int) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r.clock.Step(objectivesInterval)
		got := 0.0
		for _, result := range []string{"ok", "error"} {
			n, err := testutil.GetCounterMetricValue(r.metrics.loads.WithLabelValues(result))
			if err != nil {
				r.t.Fatal(err)
			}
			got += n
		}
		switch {
		case got == float64(want):
			return
		case got > float64(want), time.Now().After(deadline):
			r.t.Fatalf("%v files were loaded, want %d", got, want)
		}
	}
}
