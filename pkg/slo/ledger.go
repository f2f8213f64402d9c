// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"hash/fnv"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

const (
	// maximumKeys of all objectives together that the ledger has rows for. A
	// cluster has some hundreds; it bounds the memory to 4 MB.
	maximumKeys = 10_000
	// longestName of an objective or in a key, in bytes. No name in Kubernetes is
	// longer than 253 (RFC 1123).
	longestName = 253
)

// Ledger holds one outcome a minute for the last 1440 minutes, of every objective
// and of each of its keys. It has no clock: minutes are told to it. A minute that
// it is not told of is unknown, and what is known of a minute never changes, so
// that a clock that is set back neither rewrites nor counts anything twice.
//
// A Ledger is not safe for concurrent use.
type Ledger struct {
	books []book // in the order of the objectives
	// newest minute since 1970 of which anything may be known; the oldest is 1439
	// before it.
	newest int64
	limit  int
}

// NewLedger returns a ledger of these objectives that knows nothing yet.
func NewLedger(objectives []Objective) (*Ledger, error) {
	l := &Ledger{limit: maximumKeys}
	for _, o := range objectives {
		if o.Name == "" || len(o.Name) > longestName {
			return nil, fmt.Errorf("objective %q: a ledger needs names of 1 to %d bytes", o.Name, longestName)
		}
		if l.book(o.Name) != nil {
			return nil, fmt.Errorf("objective %q: there are two of that name", o.Name)
		}
		l.books = append(l.books, book{objective: o})
	}
	return l, nil
}

// Adopt makes these the objectives of the ledger. Those that are as they were, in all
// that their minutes depend on, keep their day; the others begin one, and are returned
// by name, new ones among them. With an error the ledger is as it was before.
func (l *Ledger) Adopt(objectives []Objective) (begun []string, err error) {
	adopted, err := NewLedger(objectives)
	if err != nil {
		return nil, err
	}
	for i := range adopted.books {
		b := &adopted.books[i]
		known := l.book(b.objective.Name)
		if known == nil || known.objective.fingerprint() != b.objective.fingerprint() {
			begun = append(begun, b.objective.Name)
			continue
		}
		b.slots, b.rows, b.names, b.events = known.slots, known.rows, known.names, known.events
	}
	l.books = adopted.books
	return begun, nil
}

func (l *Ledger) book(objective string) *book {
	for i := range l.books {
		if l.books[i].objective.Name == objective {
			return &l.books[i]
		}
	}
	return nil
}

// Keys is the number of keys that have a row.
func (l *Ledger) Keys() int {
	n := 0
	for i := range l.books {
		n += len(l.books[i].rows)
	}
	return n
}

// Record what an evaluation at that time says. The minutes since the last record
// that nobody told of are unknown from then on. Of an objective for which the
// minute is already known nothing is recorded: the first verdict stands, and so do the
// first events. After a clock that was set back by a day or more, nothing is known any
// more, and after three days nothing of events.
//
// A key has a row as long as anything is known of it, also where that is idle minutes
// only: so what is known does not depend on the order in which minutes are told.
// Record returns how many keys got no row, because there are too many or their names
// are too long.
func (l *Ledger) Record(at time.Time, minutes []Minute) (refused int) {
	minute := minuteOf(at)
	l.advance(minute)
	_, refused = l.note(minute, minutes)
	if at.Sub(time.Unix(minute*60, 0)) <= latestEvents {
		l.eachEvents(minutes, func(b *book, e Events) { b.ring(minute).record(minute, e) })
	}
	return refused
}

// note the verdicts on a minute that there is room for: of how many objectives it
// was unknown until now, and how many keys got no row.
func (l *Ledger) note(minute int64, minutes []Minute) (learned, refused int) {
	slot := slotOf(minute)
	for _, m := range minutes {
		b := l.book(m.Objective)
		if b == nil || b.slots.isKnown(slot) {
			continue
		}
		b.slots.record(slot, m.Verdict)
		if b.slots.isKnown(slot) {
			learned++
		}
		refused += b.record(slot, m.Keys, l.limit-l.Keys())
	}
	return learned, refused
}

// advance makes room for the minute: what it replaces is forgotten.
func (l *Ledger) advance(minute int64) {
	var gone minuteSet
	switch {
	case minute > l.newest:
		gone = ending(minute, minute-l.newest)
	case minute <= l.newest-minutesPerDay:
		gone = ending(minute, minutesPerDay)
	default:
		return
	}
	l.newest = minute
	for i := range l.books {
		b := &l.books[i]
		b.slots.clear(&gone)
		b.clear(&gone)
	}
}

// window is the part of the ring that a day is made of.
type window struct {
	newest              int64
	day, sixHours, hour minuteSet
	recent              []int // words that have some of the last six hours
}

// window of the day that ends now. The minute that goes on belongs to it once
// something was recorded, so that it is not unknown until then; and so does what
// a clock that was set back has put into the future.
func (l *Ledger) window(now time.Time) *window {
	untold := max(0, minuteOf(now)-1-l.newest)
	last := func(n int64) minuteSet { return ending(l.newest, n-untold) }
	w := &window{newest: l.newest, day: last(minutesPerDay), sixHours: last(burnSixHours), hour: last(burnHour)}
	for i, word := range w.sixHours {
		if word != 0 {
			w.recent = append(w.recent, i)
		}
	}
	return w
}

// Day returns the figures of the last 24 hours of an objective. Of one that the
// ledger does not have all minutes are unknown.
func (l *Ledger) Day(objective string, now time.Time) Day {
	b := l.book(objective)
	if b == nil {
		return Day{Unknown: minutesPerDay}
	}
	return b.slots.figures(l.window(now))
}

// KeyDay is the day of one key.
type KeyDay struct {
	Key Key
	Day Day
}

// KeyDays returns the figures of the last 24 hours of every key of an objective
// that had a good or bad minute, sorted by key. Objectives whose indicator is not
// split have none.
func (l *Ledger) KeyDays(objective string, now time.Time) []KeyDay {
	b := l.book(objective)
	if b == nil {
		return nil
	}
	w := l.window(now)
	days := make([]KeyDay, 0, len(b.rows))
	for i := range b.rows {
		if r := &b.rows[i]; r.slots.isJudged() {
			days = append(days, KeyDay{b.names.key(r.key), r.slots.figures(w)})
		}
	}
	return days
}

// fingerprint tells objectives apart whose minutes do not compare. What a day may
// have of them, and what traffic is called low, does not change the verdict on one.
func (o Objective) fingerprint() uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %q %q %q %q %t %d %d %d", o.Component, o.Signal, o.Verbs, o.Scope, o.Key,
		o.EvenShares, o.Percentile, o.Threshold, o.Window) // a hash does not fail
	if o.Type == v1alpha1.IndicatorRatio {
		_, _ = fmt.Fprintf(h, " ratio %q %q %d", o.Good, o.Bad, o.GoodMillionths) // maps are sorted
	}
	if len(o.Exclude) > 0 {
		_, _ = fmt.Fprintf(h, " exclude %q", o.Exclude)
	}
	if o.ownSignal {
		_, _ = fmt.Fprintf(h, " signal %v %q %q %q", o.Reads.Kind, o.Reads.Metrics, o.Reads.Labels, o.Reads.Match)
		if o.Reads.Everywhere {
			_, _ = fmt.Fprint(h, " everywhere")
		}
		if recorded := o.Reads.Recorded; recorded.Rate != "" {
			_, _ = fmt.Fprintf(h, " recorded %q %d", recorded.Rate, recorded.Window)
		}
	}
	return h.Sum64()
}
