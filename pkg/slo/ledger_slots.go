// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"math/bits"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// words is the number of words of a set of minutes; of the last one half is used.
const (
	words     = (minutesPerDay + 63) / 64
	fullWords = minutesPerDay / 64
)

// minuteSet has one bit for every minute of a day. It is a ring: minutes since
// 1970 have the slot of that number modulo 1440.
type minuteSet [words]uint64

// slotOf a minute since 1970, which may be before it.
func slotOf(minute int64) int {
	return int(((minute % minutesPerDay) + minutesPerDay) % minutesPerDay)
}

// ending is the set of the n minutes that end with this one: all of them from
// 1440 on, none below 1.
func ending(minute, n int64) (set minuteSet) {
	for i := range min(n, minutesPerDay) {
		slot := slotOf(minute - i)
		set[slot/64] |= 1 << (slot % 64)
	}
	return set
}

// slots hold the outcomes of the minutes of one day. Good minutes are in met,
// bad ones in failed, idle ones in both, unknown ones in neither. The halves of
// the last words share one, so that a day takes 360 bytes.
type slots struct {
	met, failed [fullWords]uint64
	last        uint64 // met in the low half, failed in the high one
}

func (s *slots) word(i int) (met, failed uint64) {
	if i < fullWords {
		return s.met[i], s.failed[i]
	}
	return s.last & math.MaxUint32, s.last >> 32
}

func (s *slots) isKnown(slot int) bool {
	met, failed := s.word(slot / 64)
	return (met|failed)>>(slot%64)&1 == 1
}

// record the verdict on a minute of which nothing is known.
func (s *slots) record(slot int, verdict v1alpha1.Verdict) {
	if s.isKnown(slot) {
		return
	}
	bit := uint64(1) << (slot % 64)
	switch verdict {
	case v1alpha1.VerdictMet:
		s.add(slot/64, bit, 0)
	case v1alpha1.VerdictViolated:
		s.add(slot/64, 0, bit)
	case v1alpha1.VerdictNoTraffic:
		s.add(slot/64, bit, bit)
	case v1alpha1.VerdictUnknown, v1alpha1.VerdictInformational:
	}
}

func (s *slots) add(i int, met, failed uint64) {
	if i < fullWords {
		s.met[i] |= met
		s.failed[i] |= failed
		return
	}
	s.last |= met | failed<<32
}

func (s *slots) clear(minutes *minuteSet) {
	for i := range fullWords {
		s.met[i] &^= minutes[i]
		s.failed[i] &^= minutes[i]
	}
	s.last &^= minutes[fullWords] | minutes[fullWords]<<32
}

// isEmpty says that nothing is known of any minute.
func (s *slots) isEmpty() bool {
	return s.met == [fullWords]uint64{} && s.failed == [fullWords]uint64{} && s.last == 0
}

// isJudged says that some minute is good or bad.
func (s *slots) isJudged() bool {
	return s.met != s.failed || s.last&math.MaxUint32 != s.last>>32
}

// figures of the minutes in the window.
func (s *slots) figures(w *window) Day {
	var met, failed, idle int
	for i := range fullWords { // not over the array, which would be copied
		m, f, day := s.met[i], s.failed[i], w.day[i]
		met += bits.OnesCount64(m & day)
		failed += bits.OnesCount64(f & day)
		idle += bits.OnesCount64(m & f & day)
	}
	m, f := s.word(fullWords)
	met += bits.OnesCount64(m & w.day[fullWords])
	failed += bits.OnesCount64(f & w.day[fullWords])
	idle += bits.OnesCount64(m & f & w.day[fullWords])
	d := Day{Good: int32(met - idle), Bad: int32(failed - idle), Idle: int32(idle)}
	d.Unknown = minutesPerDay - d.Good - d.Bad - d.Idle
	for _, i := range w.recent { // the last hour is part of the last six
		m, f := s.word(i)
		d.SixHours.add(m&^f&w.sixHours[i], f&^m&w.sixHours[i])
		d.Hour.add(m&^f&w.hour[i], f&^m&w.hour[i])
	}
	if d.Bad > 0 {
		d.FirstBad, d.LastBad = s.firstBad(w), s.lastBad(w)
	}
	return d
}

func (m *BurnMinutes) add(good, bad uint64) {
	m.Good += int32(bits.OnesCount64(good))
	m.Bad += int32(bits.OnesCount64(bad))
}

// badWord has the bad minutes of the window in word i.
func (s *slots) badWord(w *window, i int) uint64 {
	met, failed := s.word(i)
	return failed &^ met & w.day[i]
}

// firstBad minute since 1970. There is one. The ring is walked from the slot that
// follows the newest: its word comes first and, for the slots before, last.
func (s *slots) firstBad(w *window) int64 {
	start := slotOf(w.newest + 1)
	for step := range words + 1 {
		i := (start/64 + step) % words
		word := s.badWord(w, i)
		switch step {
		case 0:
			word &= ^uint64(0) << (start % 64)
		case words:
			word &= 1<<(start%64) - 1
		}
		if word != 0 {
			slot := i*64 + bits.TrailingZeros64(word)
			return w.newest + 1 - minutesPerDay + int64(slotOf(int64(slot-start)))
		}
	}
	return w.newest
}

// lastBad minute since 1970. There is one. The ring is walked back from the newest.
func (s *slots) lastBad(w *window) int64 {
	start := slotOf(w.newest)
	for step := range words + 1 {
		i := (start/64 - step + 2*words) % words
		word := s.badWord(w, i)
		switch step {
		case 0:
			word &= ^uint64(0) >> (63 - start%64)
		case words:
			word &^= ^uint64(0) >> (63 - start%64)
		}
		if word != 0 {
			slot := i*64 + bits.Len64(word) - 1
			return w.newest - int64(slotOf(int64(start-slot)))
		}
	}
	return w.newest
}
