// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

const (
	requests     = "api-requests"
	availability = "availability"
)

// answers are a hundred, so many of them bad.
func answers(bad float64) sources.Result {
	return sources.Result{Series: []sources.Series{
		{Values: []string{"", "", "", "", "", "200"}, Increase: 100 - bad},
		{Values: []string{"", "", "", "", "", "500"}, Increase: bad},
	}}
}

// answering is traffic that is counted by code, too.
type answering struct{ traffic }

func (s *answering) Read(ctx context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	reading, err := s.traffic.Read(ctx, at, window)
	if err == nil {
		reading.Results[requests] = answers(s.slow)
	}
	return reading, err
}

// remembersRatio is an evaluator with a ratio beside the official objectives.
func remembersRatio(t *testing.T, source sources.Source, h sources.Historian, directory string) (*Evaluator, *testclock.FakeClock) {
	t.Helper()
	catalog, err := objectives.Load("o.yaml", []byte("apiVersion: "+objectives.APIVersion+"\nkind: "+objectives.Kind+`
objectives:
- {name: availability, description: d, signal: api-requests, goodRatio: "0.99", bad: {code: [5xx]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	defined, err := slo.Define(catalog, window, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	e, clock := remembers(t, source, h, "")
	config := e.Config
	config.Objectives, config.StateDir = defined.Objectives, directory
	if e, err = New(config); err != nil {
		t.Fatal(err)
	}
	return e, clock
}

func ratioReport(t *testing.T, e *Evaluator) v1alpha1.SLOReport {
	t.Helper()
	reports := latest(t, e).Reports
	return reports[slices.IndexFunc(reports, func(r v1alpha1.SLOReport) bool { return r.Name == availability })]
}

// A ratio without a past gets its day first, with those of the others, and then the
// rest of three days for its burn rates, one minute in five: every request once.
func TestBackfillARatio(t *testing.T) {
	noon := rememberedAt.Truncate(time.Minute)
	h := &remembering{slow: func(at time.Time) bool { return noon.Sub(at) < time.Hour }}
	e, clock := remembersRatio(t, &answering{}, h, "")
	latest(t, e)
	if waited := runBackfill(t, e, clock); waited != 0 {
		t.Errorf("waited %s", waited)
	}
	clock.Step(interval)
	status := ratioReport(t, e).Status
	if d := status.Day; d.BadMinutes != 59 || d.GoodMinutes != 1381 || d.UnknownMinutes != 0 {
		t.Errorf("day %+v", d)
	}
	want := []v1alpha1.RequestBurnRate{
		{WindowMinutes: 60, CoveredMinutes: 60, Requests: 1200, BadRequests: 22, Rate: "1.833334"},
		{WindowMinutes: 360, CoveredMinutes: 360, Requests: 7200, BadRequests: 22, Rate: "0.305556"},
		{WindowMinutes: 4320, CoveredMinutes: 4320, Requests: 86_400, BadRequests: 22, Rate: "0.025463"},
	}
	if diff := cmp.Diff(want, status.RequestBurnRates); diff != "" {
		t.Errorf("burn rates (-want +got):\n%s", diff)
	}
	questions := h.questions(requests)
	if len(questions) != 24+10 || questions[0] != "[code] 02 11:00..02 11:59" || questions[24] != "[code] 01 07:05..01 12:00" || questions[33] != "[code] 30 12:05..30 15:00" {
		t.Errorf("%d questions: %q", len(questions), questions)
	}
	if last := h.asked[len(h.asked)-10:]; !slices.Equal(last[:1], []string{requests + " " + questions[24]}) {
		t.Errorf("the days of the others had to wait: %q", last)
	}
}

// What a checkpoint knows is not asked for: a latency that is new to the day costs no
// ratio its minutes, and events that a minute lacks are asked for by themselves.
func TestBackfillOfARatioThatIsKnown(t *testing.T) {
	h, directory := &remembering{}, t.TempDir()
	e, clock := remembersRatio(t, &answering{}, h, directory)
	latest(t, e)
	runBackfill(t, e, clock)
	e.checkpoint(t.Context())
	h = &remembering{slow: func(time.Time) bool { return true }}
	again, clock := remembersRatio(t, &answering{}, h, directory)
	clock.SetTime(rememberedAt.Add(3 * time.Minute))
	before := ratioReport(t, again).Status.RequestBurnRates[2].Requests
	runBackfill(t, again, clock)
	if want := []string{"[code] 02 12:01..02 12:02"}; !slices.Equal(h.questions(requests), want) {
		t.Errorf("asked for %q, want %q", h.questions(requests), want)
	}
	clock.Step(interval)
	status := ratioReport(t, again).Status
	// Windows are laid end to end from the newest minute on: the two are in none.
	if got := status.RequestBurnRates[2]; got.BadRequests != 0 || got.Requests < before || status.Day.BadMinutes != 2 {
		t.Errorf("burn rate %+v, %d requests before, day %+v", got, before, status.Day)
	}
}

// What is older than the day fails by itself: of the day nothing was lost, and the rest
// is asked for again once the source is back after an outage.
func TestBackfillOfOlderEventsFails(t *testing.T) {
	source, h := &answering{}, &remembering{}
	h.fail = func(_ string, at time.Time) error {
		if rememberedAt.Sub(at) > 30*time.Hour {
			return errors.New("422: out of bounds")
		}
		return nil
	}
	e, clock := remembersRatio(t, source, h, "")
	latest(t, e)
	runBackfill(t, e, clock)
	clock.Step(interval)
	// Nobody evaluated while the source was asked in vain.
	if c := condition(t, latest(t, e), availability, v1alpha1.ConditionDayComplete); c.Reason != ReasonMinutesUnknown || c.Status != metav1.ConditionFalse {
		t.Errorf("%+v", c)
	}
	covered := func() int32 { return ratioReport(t, e).Status.RequestBurnRates[2].CoveredMinutes }
	if n := covered(); n < 30*60-5 || n > 30*60+5 {
		t.Errorf("%d minutes are covered", n)
	}
	h.fail = nil
	source.set(errors.New("no route to host"))
	clock.Step(time.Minute)
	latest(t, e)
	source.set(nil)
	clock.Step(askAgain)
	latest(t, e)
	runBackfill(t, e, clock)
	if clock.Step(interval); covered() < 4200 {
		t.Errorf("%d minutes are covered", covered())
	}
}
