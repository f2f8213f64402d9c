// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// ratioLedger has one ratio, of which nothing is known.
func ratioLedger(t *testing.T) *Ledger {
	t.Helper()
	l, err := NewLedger([]Objective{ratioObjective()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// eventful is a minute with as many bad events of a thousand.
func eventful(bad int64) []Minute {
	return []Minute{{Objective: "availability", Verdict: v1alpha1.VerdictMet, Events: &Events{Total: 1000, Bad: bad}}}
}

// Three days that are filled in have the burn rates of three days that were told live,
// in whatever order, and are as known after a checkpoint.
func TestFillEvents(t *testing.T) {
	live, filled := ratioLedger(t), ratioLedger(t)
	at := func(ago int) time.Time { return scenarioAt.Add(-time.Duration(ago) * time.Minute) }
	for ago := burnThreeDays - 1; ago >= 0; ago-- {
		live.Record(at(ago), eventful(int64(ago%7)))
	}
	filled.Record(at(0), eventful(0))
	learned := 0
	for i, unknown := range rand.New(rand.NewPCG(4, 2)).Perm(burnThreeDays + 100) {
		n, _ := filled.Fill(at(unknown), eventful(int64(unknown%7)))
		filled.Fill(at(unknown), eventful(900)) // known by now
		if learned += n; i%1000 == 0 {
			if _, err := filled.Restore(filled.Encode()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(live.BurnRates("availability", scenarioAt), filled.BurnRates("availability", scenarioAt)); diff != "" {
		t.Errorf("(-live +filled):\n%s", diff)
	}
	if d := filled.Day("availability", scenarioAt); d.Good != 1440 || learned != 1439 {
		t.Errorf("%d verdicts are learned, day %+v", learned, d)
	}
	if unknown := filled.UnknownEvents(scenarioAt, "availability"); len(unknown) > 0 {
		t.Errorf("%d minutes are unknown, such as %s", len(unknown), unknown[0])
	}
}

// The verdict on a minute may be known while its events are not, and the other way
// round: each stands by itself.
func TestFillEventsBesideVerdicts(t *testing.T) {
	l := ratioLedger(t)
	at := func(ago int) time.Time { return scenarioAt.Add(-time.Duration(ago) * time.Minute) }
	l.Record(at(2), told("availability", v1alpha1.VerdictViolated)) // with an instance missing
	l.Record(at(1), []Minute{{Objective: "availability", Verdict: v1alpha1.VerdictUnknown, Events: &Events{Total: 10}}})
	l.Record(at(0), nil)
	for ago := 2; ago >= 0; ago-- {
		l.Fill(at(ago), eventful(1))
	}
	d := l.Day("availability", scenarioAt)
	if d.Bad != 1 || d.Good != 2 {
		t.Errorf("day %+v", d)
	}
	got := ""
	for ago := range 3 {
		got += fmt.Sprintln(l.book("availability").events.slots[eventSlotOf(minuteOf(at(ago)))])
	}
	if want := "{1001 1}\n{11 0}\n{1001 1}\n"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

func TestUnknownEvents(t *testing.T) {
	l := ratioLedger(t)
	now := scenarioAt.Add(17 * time.Second)
	at := func(ago int) time.Time { return scenarioAt.Add(-time.Duration(ago) * time.Minute) }
	ago := func() (all []int) {
		for _, minute := range l.UnknownEvents(now, "availability", "nobody") {
			all = append(all, int(scenarioAt.Sub(minute)/time.Minute))
		}
		return all
	}
	// A window of five minutes that ends 4316 minutes ago begins before the three days,
	// and of the older ones one in five is of use.
	var want []int
	for i := 4315; i > 0; i-- {
		if i < minutesPerDay || minuteOf(at(i))%5 == 0 {
			want = append(want, i)
		}
	}
	if diff := cmp.Diff(want, ago()); diff != "" || len(want) != 576+1439 {
		t.Errorf("of an empty ledger %d: %s", len(want), diff)
	}
	lacking := want[100]
	for i := 4315; i > 0; i-- {
		if i == lacking || i == lacking+1 || i == 7 {
			l.Record(at(i), told("availability", v1alpha1.VerdictMet))
		} else {
			l.Record(at(i), eventful(0))
		}
	}
	if diff := cmp.Diff([]int{lacking, 7}, ago()); diff != "" {
		t.Error(diff)
	}
	// The newest minutes have slots with what was three days before.
	now = now.Add(3 * time.Minute)
	if diff := cmp.Diff([]int{lacking, 7, 0, -1, -2}, ago()); diff != "" {
		t.Error(diff)
	}
	latency := newLedger(t)
	if got := latency.UnknownEvents(now, APILatencyMutating); got != nil {
		t.Errorf("a latency has %d minutes without events", len(got))
	}
}

// One minute in five of those before the day is enough: however the windows from the
// newest minute on meet them, less than one window is lost.
func TestFillFewEvents(t *testing.T) {
	l := ratioLedger(t)
	l.Record(scenarioAt, eventful(10))
	for _, minute := range l.UnknownEvents(scenarioAt, "availability") {
		l.Fill(minute, eventful(10))
	}
	for later := range 30 {
		now := scenarioAt.Add(time.Duration(later) * time.Minute)
		l.Record(now, eventful(10))
		rate := l.BurnRates("availability", now)[2]
		if rate.CoveredMinutes <= burnThreeDays-10 || rate.Requests != 200*int64(rate.CoveredMinutes) || rate.BadRequests != 2*int64(rate.CoveredMinutes) || rate.Rate != "10" {
			t.Errorf("%d minutes later: %+v", later, rate)
		}
	}
}

// A minute of before the three days is of no use to anybody, and does no harm.
func TestFillEventsOfLongAgo(t *testing.T) {
	l := ratioLedger(t)
	l.Record(scenarioAt, eventful(1))
	want := l.BurnRates("availability", scenarioAt)
	for _, ago := range []int{burnThreeDays, burnThreeDays + 1, 2 * burnThreeDays} {
		l.Fill(scenarioAt.Add(-time.Duration(ago)*time.Minute), eventful(500))
	}
	if diff := cmp.Diff(want, l.BurnRates("availability", scenarioAt)); diff != "" {
		t.Error(diff)
	}
}
