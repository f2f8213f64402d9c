// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"errors"
	"slices"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/slo"
)

// A source that answers no more than so many minutes at once, as query.max-samples
// and timeouts have it, is asked for fewer; of one signal alone, or of both.
func TestBackfillOfLittleAtOnce(t *testing.T) {
	for _, most := range []int{45, 30, 15, 4} {
		for _, signals := range [][]string{{slo.SignalRequestLatency}, {slo.SignalRequestLatency, slo.SignalPodStartLatency}} {
			h := &remembering{}
			h.refuse = func(signal string, minutes int) error {
				if slices.Contains(signals, signal) && minutes > most {
					return errors.New("422: too many samples")
				}
				return nil
			}
			e, clock := remembers(t, &traffic{}, h, "")
			wantDay(t, e, 1, 0)
			waited := runBackfill(t, e, clock)
			clock.Step(interval)
			// Those that went by meanwhile nobody evaluated.
			if d, gone := dayOf(t, e), int32(waited/time.Minute)+1; d.UnknownMinutes > gone || waited > 15*time.Minute {
				t.Errorf("%d at once, of %v: %d minutes are unknown after %s and %d questions", most, signals, d.UnknownMinutes, waited, len(h.asked))
			}
			// At the size that works, but for one failure in an hour's worth, and those
			// until it is found.
			if got, least := len(h.questions(slo.SignalRequestLatency)), 1439/most; got > 2*least+24+5 {
				t.Errorf("%d at once, of %v: %d questions", most, signals, got)
			}
		}
	}
}

// minutesBefore noon, oldest first.
func minutesBefore(noon time.Time, n int) []time.Time {
	var minutes []time.Time
	for i := n; i > 0; i-- {
		minutes = append(minutes, noon.Add(-time.Duration(i)*time.Minute))
	}
	return minutes
}

// Whatever fails how often, short of too often: nothing is lost, every minute is taken
// with success once, and what goes well is taken newest first.
func TestBacklogLosesNothing(t *testing.T) {
	noon := rememberedAt.Truncate(time.Minute)
	for name, fails := range map[string]func(attempt int, c chunk) bool{
		"never":             func(int, chunk) bool { return false },
		"down for a while":  func(attempt int, _ chunk) bool { return attempt >= 5 && attempt < 5+mostFailures-1 },
		"every third time":  func(attempt int, _ chunk) bool { return attempt%3 == 0 },
		"more than a few":   func(_ int, c chunk) bool { return c.minutes() > fewestMinutes },
		"one hour at first": func(attempt int, c chunk) bool { return attempt < 11 && c.last.Hour() == 11 },
	} {
		b := newBacklog(extent{signal: "s"}, time.Minute, minutesBefore(noon, 1439))
		read := map[time.Time]int{}
		for attempt := 0; len(b.chunks) > 0; attempt++ {
			c := b.next()
			if c.minutes() > chunkMinutes || c.minutes() < 1 {
				t.Fatalf("%s: %+v", name, c)
			}
			if fails(attempt, c) {
				if lost := b.failed(c, c); lost != nil {
					t.Errorf("%s: lost %v", name, lost)
				}
				continue
			}
			b.succeeded(c)
			for at := c.first; !at.After(c.last); at = at.Add(time.Minute) {
				read[at]++
			}
		}
		for at, n := range read {
			if n != 1 {
				t.Errorf("%s: %s was read %d times", name, at, n)
			}
		}
		if len(read) != 1439 {
			t.Errorf("%s: %d minutes were read", name, len(read))
		}
	}
}

// What can not be read is put off, and costs no more than itself.
func TestBacklogLosesLittle(t *testing.T) {
	noon := rememberedAt.Truncate(time.Minute)
	bad := noon.Add(-100 * time.Minute)
	b := newBacklog(extent{signal: "s"}, time.Minute, minutesBefore(noon, 1439))
	var lost []chunk
	for len(b.chunks) > 0 {
		c := b.next()
		if c.first.After(bad) || c.last.Before(bad) {
			b.succeeded(c)
			continue
		}
		lost = append(lost, b.failed(c, c)...)
	}
	if len(lost) != 1 || lost[0].minutes() > fewestMinutes {
		t.Errorf("lost %v", lost)
	}
}

// Signals take turns, the newest minutes first; one that waits does not hold up another.
func TestTurn(t *testing.T) {
	noon := rememberedAt.Truncate(time.Minute)
	a, b, none := newBacklog(extent{signal: "a"}, time.Minute, minutesBefore(noon, 90)), newBacklog(extent{signal: "b"}, time.Minute, minutesBefore(noon, 90)), newBacklog(extent{signal: "none"}, time.Minute, nil)
	backlogs := []*backlog{a, b, none}
	taken := ""
	for next := turn(backlogs, noon); next != nil; next = turn(backlogs, noon) {
		next.next()
		taken += next.signal
	}
	if taken != "abab" {
		t.Errorf("the turns are %s", taken)
	}
	a.chunks = []chunk{{first: noon, last: noon, step: time.Minute}}
	b.chunks = []chunk{{first: noon.Add(-time.Hour), last: noon.Add(-time.Hour), step: time.Minute}}
	a.waitUntil(noon.Add(time.Minute))
	if turn(backlogs, noon) != b || turn(backlogs, noon.Add(time.Minute)) != a {
		t.Error("a has no reason to go first until it may, and every reason from then on")
	}
}
