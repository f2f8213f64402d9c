// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Fill records what an evaluation says of a minute of the past, in the way of
// Record: what is known of it stands. Of a minute that is no longer in the ledger
// nothing is recorded, and of one that has gone from the day its events alone. It
// returns of how many objectives the minute is known only now, and how many keys got
// no row.
func (l *Ledger) Fill(at time.Time, minutes []Minute) (learned, refused int) {
	minute := minuteOf(at)
	if minute > l.newest-minutesPerDay {
		l.advance(minute)
		learned, refused = l.note(minute, minutes)
	}
	l.eachEvents(minutes, func(b *book, e Events) {
		if ring := b.ring(minute); ring.has(minute) {
			ring.record(minute, e)
		}
	})
	return learned, refused
}

// Unknown returns the starts of those of the 1439 minutes before the one of now of
// which at least one of the objectives is unknown, oldest first. Objectives that the
// ledger does not have are left out.
func (l *Ledger) Unknown(now time.Time, objectives ...string) []time.Time {
	return l.minutesBefore(now, minutesPerDay, objectives, func(b *book, minute int64) bool {
		// Slots of minutes that have not been, or are gone, are those of others.
		there := minute <= l.newest && minute > l.newest-minutesPerDay
		return !there || !b.slots.isKnown(slotOf(minute))
	})
}

// UnknownEvents returns the starts of those minutes before the one of now that burn
// rates lack: of which the events of at least one of the objectives are unknown, oldest
// first; of those older than a day see EventStep. Objectives that the ledger does not
// have, and those that are no Ratio, are left out.
func (l *Ledger) UnknownEvents(now time.Time, objectives ...string) []time.Time {
	newest := minuteOf(now)
	return l.minutesBefore(now, burnThreeDays, objectives, func(b *book, minute int64) bool {
		window := b.objective.windowMinutes()
		counts := minute-window >= newest-burnThreeDays && (minute > newest-minutesPerDay || minute%window == 0)
		return b.objective.Type == v1alpha1.IndicatorRatio && counts && (b.events == nil || !b.events.isKnown(minute))
	})
}

// minutesBefore the one of now, of so many with it, that are unknown to one of these
// books, oldest first.
func (l *Ledger) minutesBefore(now time.Time, n int64, objectives []string, isUnknown func(*book, int64) bool) []time.Time {
	var unknown []time.Time
	newest := minuteOf(now)
	for minute := newest - n + 1; minute < newest; minute++ {
		for _, objective := range objectives {
			if b := l.book(objective); b != nil && isUnknown(b, minute) {
				unknown = append(unknown, time.Unix(minute*60, 0).UTC())
				break
			}
		}
	}
	return unknown
}
