// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// naiveLedger is the ledger of one objective, as simple as can be: a map of what
// was said of each minute.
type naiveLedger struct {
	newest  int64
	minutes map[int64]v1alpha1.Verdict
	keys    map[string]map[int64]v1alpha1.Verdict
}

func (n *naiveLedger) record(minute int64, m Minute) {
	if minute > n.newest || minute <= n.newest-1440 {
		n.newest = minute
	}
	n.forget(n.minutes)
	for name, minutes := range n.keys {
		n.forget(minutes)
		if len(minutes) == 0 {
			delete(n.keys, name)
		}
	}
	if n.minutes[minute] != "" {
		return
	}
	if m.Verdict != v1alpha1.VerdictUnknown {
		n.minutes[minute] = m.Verdict
	}
	for _, k := range m.Keys {
		minutes := n.keys[k.Key.Resource]
		if minutes == nil && k.Verdict != v1alpha1.VerdictUnknown {
			minutes = map[int64]v1alpha1.Verdict{}
			n.keys[k.Key.Resource] = minutes
		}
		if minutes != nil && minutes[minute] == "" && k.Verdict != v1alpha1.VerdictUnknown {
			minutes[minute] = k.Verdict
		}
	}
}

func (n *naiveLedger) forget(minutes map[int64]v1alpha1.Verdict) {
	maps.DeleteFunc(minutes, func(minute int64, _ v1alpha1.Verdict) bool { return minute <= n.newest-1440 || minute > n.newest })
}

func judged(minutes map[int64]v1alpha1.Verdict) bool {
	for _, v := range minutes {
		if v == v1alpha1.VerdictMet || v == v1alpha1.VerdictViolated {
			return true
		}
	}
	return false
}

func (n *naiveLedger) day(minutes map[int64]v1alpha1.Verdict, now int64) Day {
	end := max(n.newest, now-1)
	var d Day
	for minute := end - 1439; minute <= end; minute++ {
		part := func(of *int32, hour, sixHours *int32) {
			*of++
			if minute > end-60 {
				*hour++
			}
			if minute > end-360 {
				*sixHours++
			}
		}
		switch minutes[minute] {
		case v1alpha1.VerdictMet:
			part(&d.Good, &d.Hour.Good, &d.SixHours.Good)
		case v1alpha1.VerdictViolated:
			part(&d.Bad, &d.Hour.Bad, &d.SixHours.Bad)
			if d.Bad == 1 {
				d.FirstBad = minute
			}
			d.LastBad = minute
		case v1alpha1.VerdictNoTraffic:
			d.Idle++
		default:
			d.Unknown++
		}
	}
	return d
}

// randomStep of a clock: mostly a minute or less, now and then a gap or a jump.
func randomStep(r *rand.Rand) time.Duration {
	switch r.IntN(40) {
	case 0:
		return time.Duration(r.IntN(2000)) * time.Minute // suspended
	case 1:
		return -time.Duration(r.IntN(2000)) * time.Minute // set back
	case 2:
		return time.Duration(r.IntN(7200)-3600) * time.Second
	case 3:
		return time.Duration(r.IntN(100)-50) * 24 * time.Hour
	}
	return time.Duration(30+r.IntN(60)) * time.Second
}

func randomMinute(r *rand.Rand) Minute {
	verdicts := []v1alpha1.Verdict{v1alpha1.VerdictMet, v1alpha1.VerdictViolated, v1alpha1.VerdictNoTraffic, v1alpha1.VerdictUnknown}
	m := Minute{Objective: APILatencyMutating, Verdict: verdicts[r.IntN(4)]}
	for i := range 5 {
		if r.IntN(3) > 0 {
			m.Keys = append(m.Keys, KeyVerdict{Key{Resource: fmt.Sprint("r", i)}, verdicts[r.IntN(4)]})
		}
	}
	r.Shuffle(len(m.Keys), func(i, j int) { m.Keys[i], m.Keys[j] = m.Keys[j], m.Keys[i] })
	return m
}

// Whatever the clock does, the ledger is the naive one; its counts add up, and it
// survives being written and read at any time. The order of keys does not matter:
// it is random, and the naive ledger knows none.
func TestLedgerEqualsNaiveLedger(t *testing.T) {
	seenBad, seenDropped := 0, 0
	for round := range uint64(60) {
		r := rand.New(rand.NewPCG(6, round))
		l := newLedger(t)
		naive := &naiveLedger{minutes: map[int64]v1alpha1.Verdict{}, keys: map[string]map[int64]v1alpha1.Verdict{}}
		now := scenarioAt
		for step := range 300 {
			now = now.Add(randomStep(r))
			before := l.Keys()
			m := randomMinute(r)
			l.Record(now, []Minute{m})
			naive.record(minuteOf(now), m)
			if l.Keys() < before {
				seenDropped++
			}
			if r.IntN(20) == 0 {
				copied := newLedger(t)
				if _, err := copied.Restore(l.Encode()); err != nil {
					t.Fatal(err)
				}
				l = copied
			}
			if r.IntN(10) == 0 {
				seenBad += int(compareLedgers(t, fmt.Sprintf("round %d, step %d", round, step), l, naive, now.Add(time.Duration(r.IntN(600)-60)*time.Second)))
			}
		}
	}
	if seenBad == 0 || seenDropped == 0 {
		t.Errorf("%d bad minutes and %d keys dropped: that tests nothing", seenBad, seenDropped)
	}
}

func compareLedgers(t *testing.T, what string, l *Ledger, naive *naiveLedger, now time.Time) (bad int32) {
	t.Helper()
	got := map[string]Day{"": l.Day(APILatencyMutating, now)}
	for _, k := range l.KeyDays(APILatencyMutating, now) {
		got[k.Key.Resource] = k.Day
	}
	want := map[string]Day{"": naive.day(naive.minutes, minuteOf(now))}
	for name, minutes := range naive.keys {
		if judged(minutes) {
			want[name] = naive.day(minutes, minuteOf(now))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-naive +ledger):\n%s", what, diff)
	}
	for name, d := range got {
		if d.Good+d.Bad+d.Idle+d.Unknown != 1440 || d.Unknown < 0 {
			t.Fatalf("%s: the counts of %q do not add up to 1440: %+v", what, name, d)
		}
		bad += d.Bad
	}
	return bad
}

func TestMinuteOf(t *testing.T) {
	for seconds, want := range map[int64]int64{0: 0, 59: 0, 60: 1, -1: -1, -60: -1, -61: -2} {
		if got := minuteOf(time.Unix(seconds, 0)); got != want {
			t.Errorf("second %d is in minute %d, want %d", seconds, got, want)
		}
	}
}
