// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import "time"

// Fill records what an evaluation says of a minute of the past, in the way of
// Record: what is known of it stands. Of a minute that is no longer in the ledger
// nothing is recorded. It returns of how many objectives the minute is known only
// now, and how many keys got no row.
func (l *Ledger) Fill(at time.Time, minutes []Minute) (learned, refused int) {
	minute := minuteOf(at)
	if minute <= l.newest-minutesPerDay {
		return 0, 0
	}
	l.advance(minute)
	return l.note(minute, minutes)
}

// Unknown returns the starts of those of the 1439 minutes before the one of now of
// which at least one of the objectives is unknown, oldest first. Objectives that the
// ledger does not have are left out.
func (l *Ledger) Unknown(now time.Time, objectives ...string) []time.Time {
	var unknown []time.Time
	newest := minuteOf(now)
	for minute := newest - minutesPerDay + 1; minute < newest; minute++ {
		// Slots of minutes that have not been, or are gone, are those of others.
		there := minute <= l.newest && minute > l.newest-minutesPerDay
		for _, objective := range objectives {
			if b := l.book(objective); b != nil && !(there && b.slots.isKnown(slotOf(minute))) {
				unknown = append(unknown, time.Unix(minute*60, 0).UTC())
				break
			}
		}
	}
	return unknown
}
