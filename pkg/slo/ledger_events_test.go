// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func ratioObjective() Objective {
	return Objective{
		Name: "availability", Type: v1alpha1.IndicatorRatio, Window: DefaultWindow, Events: "requests",
		Bad: map[string][]string{"code": {"5xx"}}, GoodMillionths: 999_000, DayGoodPercent: 99,
	}
}

// Every minute has the events of five; each event is counted once all the same.
func TestBurnRatesCountEventsOnce(t *testing.T) {
	l, err := NewLedger([]Objective{ratioObjective()})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	// 1000 requests a minute; in the last hour one in a hundred is bad.
	const minutes = 2 * burnThreeDays
	for i := range minutes {
		e := Events{Total: 5000}
		for ago := range 5 {
			if i-ago >= minutes-60 {
				e.Bad += 10
			}
		}
		l.Record(start.Add(time.Duration(i)*time.Minute), []Minute{{Objective: "availability", Verdict: v1alpha1.VerdictMet, Events: &e}})
	}
	now := start.Add((minutes - 1) * time.Minute)
	want := []v1alpha1.RequestBurnRate{
		{WindowMinutes: 60, CoveredMinutes: 60, Requests: 60_000, BadRequests: 600, Rate: "10"},
		{WindowMinutes: 360, CoveredMinutes: 360, Requests: 360_000, BadRequests: 600, Rate: "1.666667"},
		{WindowMinutes: 4320, CoveredMinutes: 4320, Requests: 4_320_000, BadRequests: 600, Rate: "0.138889"},
	}
	if diff := cmp.Diff(want, l.BurnRates("availability", now)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// They are over after three days without an evaluation, and shorter until then.
	got := l.BurnRates("availability", now.Add(30*time.Minute))
	if got[0].CoveredMinutes != 30 || got[0].Requests != 30_000 {
		t.Errorf("half an hour later: %+v", got[0])
	}
	for _, rate := range l.BurnRates("availability", now.Add(burnThreeDays*time.Minute)) {
		if rate.CoveredMinutes != 0 || rate.Rate != "" {
			t.Errorf("three days later: %+v", rate)
		}
	}
}

// Against the minutes one by one: what is counted is counted once, and no minute
// that is not known is.
func TestBurnRatesOfGaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		ring := &eventRing{}
		start := int64(r.IntN(1 << 30))
		window := int64(1 + r.IntN(7))
		n := int64(burnHour)
		known := map[int64]bool{}
		for minute := start; minute < start+200; minute++ {
			if r.IntN(4) > 0 {
				known[minute] = true
				ring.record(minute, Events{Total: window, Bad: 1})
				ring.record(minute, Events{Total: 1 << 20}) // what is known stands
			}
		}
		now := start + 150 + int64(r.IntN(100))
		e, covered := ring.sum(now, n, window)
		if e.Total != covered || e.Bad*window != covered || covered > n || covered%window != 0 {
			t.Fatalf("round %d: %+v over %d of %d minutes, window %d", round, e, covered, n, window)
		}
		// Greedy from the newest is the most that windows laid end to end cover.
		most := make(map[int64]int64)
		for minute := now - n; minute <= now; minute++ {
			most[minute] = most[minute-1]
			if known[minute] && minute-window >= now-n {
				most[minute] = max(most[minute], most[minute-window]+window)
			}
		}
		if covered != most[now] {
			t.Fatalf("round %d: %d minutes are covered, %d could be", round, covered, most[now])
		}
	}
}

// A server that starts in the middle of a minute has a window that ends there. It would
// overlap with the one that is laid after it.
func TestEventsOfALateMinute(t *testing.T) {
	l := ratioLedger(t)
	for minute, late := range []time.Duration{45 * time.Second, 0, 0, 0, 0, time.Second} {
		l.Record(scenarioAt.Add(time.Duration(minute)*time.Minute+late), eventful(1))
	}
	rate := l.BurnRates("availability", scenarioAt.Add(5*time.Minute))[0]
	if d := l.Day("availability", scenarioAt.Add(5*time.Minute)); rate.CoveredMinutes != 5 || rate.Requests != 1000 || d.Good != 6 {
		t.Errorf("%+v, day %+v", rate, d)
	}
}

func TestEventsAfterClockChanges(t *testing.T) {
	ring := &eventRing{}
	ring.record(10_000, Events{Total: 1})
	ring.record(9_990, Events{Total: 2}) // a clock that was set back by ten minutes
	if e, covered := ring.sum(10_000, burnHour, 5); e.Total != 3 || covered != 10 {
		t.Errorf("got %+v over %d", e, covered)
	}
	ring.record(10_000-burnThreeDays, Events{Total: 4}) // by three days
	if e, covered := ring.sum(10_000-burnThreeDays, burnHour, 5); e.Total != 4 || covered != 5 {
		t.Errorf("got %+v over %d", e, covered)
	}
	ring.record(20_000, Events{Total: 1 << 40, Bad: 1 << 40})
	if e, _ := ring.sum(20_000, burnHour, 5); e.Total != mostEvents || e.Bad != mostEvents {
		t.Errorf("got %+v", e)
	}
}

func TestBurn(t *testing.T) {
	o := ratioObjective()
	for _, test := range []struct {
		e    Events
		want string
	}{
		{Events{}, ""}, {Events{Total: 1000}, "0"}, {Events{Total: 1000, Bad: 1}, "1"}, {Events{Total: 1000, Bad: 1000}, "1000"},
		{Events{Total: 3_000_000, Bad: 1}, "0.000334"}, {Events{Total: 1 << 40, Bad: 1 << 40}, "1000"},
	} {
		if got := o.burn(test.e); got != test.want {
			t.Errorf("%+v: %q, want %q", test.e, got, test.want)
		}
	}
	o.Informational = true
	if got := o.burn(Events{Total: 10, Bad: 1}); got != "" {
		t.Errorf("without an objective: %q", got)
	}
}
