// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"math/big"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Events of some time.
type Events struct{ Total, Bad int64 }

// Burn rates of events are given over an hour, six hours and three days: the windows
// of the fast, the slow and the ticket alert of The Site Reliability Workbook,
// chapter 5.
const burnThreeDays = 3 * minutesPerDay

// EventMinutes are how many minutes a Ledger has the events of.
const EventMinutes = burnThreeDays

func eventWindows() []int32 { return []int32{burnHour, burnSixHours, burnThreeDays} }

// eventRing has, for every minute of three days, the events of the window that ended
// with it: 34 KB. It is a ring: minutes since 1970 have the slot of that number
// modulo 4320.
type eventRing struct {
	// newest minute of which anything may be known.
	newest int64
	// slots hold one more than the total, so that 0 is a minute that is not known.
	slots [burnThreeDays]eventSlot
}

type eventSlot struct{ totalAndOne, bad uint32 }

// latestEvents is how far into a minute its events may be counted. The windows that are
// laid end to end are those that end with whole minutes: one that ends later overlaps by
// as long with the next. Once it runs, a server evaluates at the beginning of minutes.
const latestEvents = 10 * time.Second

// mostEvents that a slot holds. A window has fewer: what is more is taken for that.
const mostEvents = math.MaxUint32 - 1

func eventSlotOf(minute int64) int64 {
	return ((minute % burnThreeDays) + burnThreeDays) % burnThreeDays
}

// advance forgets what the minutes up to this one replace. After a clock that was
// set back by three days or more, nothing is known any more.
func (r *eventRing) advance(minute int64) {
	gone := minute - r.newest
	switch {
	case gone > 0:
	case gone > -burnThreeDays:
		return
	default:
		gone = burnThreeDays
	}
	for i := range min(gone, burnThreeDays) {
		r.slots[eventSlotOf(minute-i)] = eventSlot{}
	}
	r.newest = minute
}

// has says that the minute is among those of the ring, or newer.
func (r *eventRing) has(minute int64) bool { return minute > r.newest-burnThreeDays }

func (r *eventRing) isKnown(minute int64) bool {
	return r.has(minute) && minute <= r.newest && r.slots[eventSlotOf(minute)].totalAndOne != 0
}

// record a minute of which nothing is known.
func (r *eventRing) record(minute int64, e Events) {
	r.advance(minute)
	slot := &r.slots[eventSlotOf(minute)]
	if slot.totalAndOne == 0 {
		*slot = eventSlot{totalAndOne: uint32(min(e.Total, mostEvents)) + 1, bad: uint32(min(e.Bad, mostEvents))}
	}
}

// sum of the events of the n minutes that end with this one, and how many minutes
// they are of.
//
// Every minute has the events of a whole window, five minutes by default, so that
// each event is in five of them. To count it once, windows are laid end to end, back
// from the newest: from a minute that is known to the one before its window. A minute
// that is not known is stepped over, and costs no more than itself where the one
// before it is known.
func (r *eventRing) sum(now, n, window int64) (e Events, covered int64) {
	oldest := max(now-n, r.newest-burnThreeDays)
	for minute := min(now, r.newest); minute-window >= oldest; {
		slot := r.slots[eventSlotOf(minute)]
		if slot.totalAndOne == 0 {
			minute--
			continue
		}
		e.Total += int64(slot.totalAndOne - 1)
		e.Bad += int64(slot.bad)
		covered += window
		minute -= window
	}
	return e, covered
}

// events of an assessment of a Ratio of which all instances and counts are known.
func (a Assessment) events() *Events {
	if a.objective.Type != v1alpha1.IndicatorRatio || a.problem != "" || a.refused != nil || !a.coverage.isFull() {
		return nil
	}
	var e Events
	for _, t := range a.tallies {
		if t.excluded != "" {
			continue
		}
		if !t.exact() {
			return nil
		}
		total := whole(t.count, t.count)
		e.Total += total
		e.Bad += min(total, whole(t.count-t.least, t.count))
	}
	return &e
}

// eachEvents calls do with the events that are known of a minute.
func (l *Ledger) eachEvents(minutes []Minute, do func(*book, Events)) {
	for _, m := range minutes {
		if b := l.book(m.Objective); b != nil && m.Events != nil {
			do(b, *m.Events)
		}
	}
}

// ring of the book; a new one is for this minute.
func (b *book) ring(minute int64) *eventRing {
	if b.events == nil {
		b.events = &eventRing{newest: minute - burnThreeDays}
	}
	return b.events
}

// BurnRates of the events of an objective, over an hour, six hours and three days
// that end now; nil for one that is no Ratio.
func (l *Ledger) BurnRates(objective string, now time.Time) []v1alpha1.RequestBurnRate {
	b := l.book(objective)
	if b == nil || b.objective.Type != v1alpha1.IndicatorRatio {
		return nil
	}
	var rates []v1alpha1.RequestBurnRate
	for _, minutes := range eventWindows() {
		rate := v1alpha1.RequestBurnRate{WindowMinutes: minutes}
		if b.events != nil {
			e, covered := b.events.sum(minuteOf(now), int64(minutes), b.objective.windowMinutes())
			rate.CoveredMinutes, rate.Requests, rate.BadRequests = int32(covered), e.Total, e.Bad
			rate.Rate = b.objective.burn(e)
		}
		rates = append(rates, rate)
	}
	return rates
}

// windowMinutes is the window in whole minutes.
func (o Objective) windowMinutes() int64 { return int64(EventStep(o.Window) / time.Minute) }

// EventStep is a window in whole minutes, rounded up: windows laid end to end leave less
// than a minute out, and never overlap. Of minutes older than a day those alone are filled
// in whose number since 1970 is a multiple of it: they have all events.
func EventStep(window time.Duration) time.Duration {
	return (window + time.Minute - 1).Truncate(time.Minute)
}

// burn rate of events: (bad/total) / (1 - the share that has to be good), rounded up;
// "" without events or without an objective.
func (o Objective) burn(e Events) string {
	allowed := 1_000_000 - o.GoodMillionths
	if e.Total <= 0 || o.Informational || allowed <= 0 {
		return ""
	}
	const one = 1_000_000 // of the allowed share, and of the rate
	per := product(e.Total, allowed)
	rate := product(e.Bad, one, one)
	rate.Add(rate, per).Sub(rate, big.NewInt(1)) // what was spent never looks less than it is
	return decimal(rate.Div(rate, per).Int64())
}
