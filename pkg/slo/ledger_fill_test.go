// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func told(objective string, verdict v1alpha1.Verdict, keys ...KeyVerdict) []Minute {
	return []Minute{{Objective: objective, Verdict: verdict, Keys: keys}}
}

// What is known stands, what is unknown is filled, what is gone stays gone.
func TestLedgerFill(t *testing.T) {
	l := newLedger(t)
	now := scenarioAt
	pods, nodes := Key{Resource: "pods", Verb: "PATCH"}, Key{Resource: "nodes", Verb: "PUT"}
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	l.Record(at(-2), told(APILatencyMutating, v1alpha1.VerdictViolated, KeyVerdict{pods, v1alpha1.VerdictViolated}))
	l.Record(at(0), told(APILatencyMutating, v1alpha1.VerdictMet))
	for _, step := range []struct {
		minutes int
		verdict v1alpha1.Verdict
		learned int
	}{
		{-2, v1alpha1.VerdictMet, 0}, // known
		{-1, v1alpha1.VerdictUnknown, 0},
		{-1, v1alpha1.VerdictMet, 1},
		{-1, v1alpha1.VerdictViolated, 0}, // known by now
		{-1439, v1alpha1.VerdictViolated, 1},
		{-1440, v1alpha1.VerdictViolated, 0}, // gone: its slot is that of now
		{-5000, v1alpha1.VerdictViolated, 0},
	} {
		keys := []KeyVerdict{{nodes, v1alpha1.VerdictViolated}, {pods, v1alpha1.VerdictMet}}
		if learned, _ := l.Fill(at(step.minutes), told(APILatencyMutating, step.verdict, keys...)); learned != step.learned {
			t.Errorf("minute %d as %s: %d objectives learned of it, want %d", step.minutes, step.verdict, learned, step.learned)
		}
	}
	d := l.Day(APILatencyMutating, now)
	if d.Good != 2 || d.Bad != 2 || d.FirstBad != minuteOf(at(-1439)) || d.LastBad != minuteOf(at(-2)) {
		t.Errorf("day %+v", d)
	}
	days := l.KeyDays(APILatencyMutating, now)
	if len(days) != 2 || days[1].Key != pods || days[1].Day.Bad != 1 || days[1].Day.Good != 2 {
		t.Errorf("days of keys %+v", days)
	}
	// A minute that nobody recorded yet.
	if learned, _ := l.Fill(at(1), told(APILatencyMutating, v1alpha1.VerdictMet)); learned != 1 || l.Day(APILatencyMutating, at(1)).Good != 3 {
		t.Errorf("the minute after the newest: %d, %+v", learned, l.Day(APILatencyMutating, at(1)))
	}
}

// The days of keys are the same in whatever order the minutes are told: here that of
// a backfill, the newest hour first. Pods are asked for ten hours ago only.
func TestLedgerFillOrder(t *testing.T) {
	pods, leases := Key{Resource: "pods"}, Key{Resource: "leases"}
	at := func(ago int) (time.Time, []Minute) {
		verdict := v1alpha1.VerdictNoTraffic
		if ago == 600 {
			verdict = v1alpha1.VerdictMet
		}
		return scenarioAt.Add(-time.Duration(ago) * time.Minute),
			told(APILatencyMutating, v1alpha1.VerdictMet, KeyVerdict{leases, v1alpha1.VerdictMet}, KeyVerdict{pods, verdict})
	}
	live, filled := newLedger(t), newLedger(t)
	for ago := 1439; ago >= 0; ago-- {
		live.Record(at(ago))
	}
	filled.Record(at(0))
	for hour := range 24 {
		for ago := min(1439, 60*(hour+1)); ago > 60*hour; ago-- {
			filled.Fill(at(ago))
		}
	}
	want := live.KeyDays(APILatencyMutating, scenarioAt)
	if diff := cmp.Diff(want, filled.KeyDays(APILatencyMutating, scenarioAt)); diff != "" {
		t.Errorf("(-live +filled):\n%s", diff)
	}
	if len(want) != 2 || want[1].Day.Good != 1 || want[1].Day.Idle != 1439 {
		t.Errorf("days of keys %+v", want)
	}
}

func TestLedgerUnknown(t *testing.T) {
	l := newLedger(t)
	now := scenarioAt.Add(17 * time.Second)
	all := func(n int) []time.Time {
		var minutes []time.Time
		for i := n; i > 0; i-- {
			minutes = append(minutes, scenarioAt.Add(time.Duration(-i)*time.Minute))
		}
		return minutes
	}
	if diff := cmp.Diff(all(1439), l.Unknown(now, APILatencyMutating)); diff != "" {
		t.Errorf("of an empty ledger: %s", diff)
	}
	if got := l.Unknown(now, "nobody"); got != nil {
		t.Errorf("of an objective that it does not have: %d minutes", len(got))
	}
	for i := 1439; i >= 5; i-- {
		at := scenarioAt.Add(time.Duration(-i) * time.Minute)
		verdict := v1alpha1.VerdictNoTraffic
		if i == 7 {
			verdict = v1alpha1.VerdictUnknown
		}
		l.Record(at, append(told(APILatencyMutating, verdict), told(PodStartupLatency, v1alpha1.VerdictMet)...))
	}
	// The newest minutes have slots with what was a day before.
	if diff := cmp.Diff(all(4), l.Unknown(now, PodStartupLatency)); diff != "" {
		t.Error(diff)
	}
	seventh := scenarioAt.Add(-7 * time.Minute)
	if diff := cmp.Diff(append([]time.Time{seventh}, all(4)...), l.Unknown(now, PodStartupLatency, APILatencyMutating)); diff != "" {
		t.Error(diff)
	}
	// A checkpoint of the day before yesterday is of no use.
	if got := l.Unknown(now.Add(48*time.Hour), PodStartupLatency); len(got) != 1439 {
		t.Errorf("after two days %d minutes are unknown", len(got))
	}
}
