// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"slices"
)

// What most of an answer consists of are histograms with the buckets that they had in
// the last one. That these are sorted and end with +Inf was seen then; what is left to
// see is that counts do not fall from one to the next. Most have not changed at all:
// of those nothing is copied, and the store need not compare them again.

// bounds that the histogram at a place had in the last answer; nil when it had no
// valid value, or is not held.
func (pl *place) bounds() []float64 {
	if pl.held == nil || pl.held.histogram == nil || pl.held.histogram.state != known {
		return nil
	}
	return pl.held.histogram.chapter.bounds
}

// counted adds a histogram with the bounds that it had in the last answer, and the
// counts from begin on in scratch. It is not found, and the counts are dropped, when
// they are not ascending.
func (s *scanner) counted(f *family, p *places, pl *place, begin int, sum float64) (found bool, err error) {
	counts := s.counts[begin:len(s.counts):len(s.counts)]
	last := pl.held.histogram.chapter
	sm := sample{id: pl.id, place: pl, state: known, number: sum, bounds: last.bounds, counts: counts}
	s.before = last.counts(s.before)
	sm.again = sameNumber(sum, last.sum()) && slices.Equal(counts, s.before)
	switch {
	case sm.again:
		sm.counts, s.counts = nil, s.counts[:begin]
	case !ascending(counts):
		s.counts = s.counts[:begin]
		return false, nil
	}
	s.exposed(f, p)
	return true, s.add(p, pl, sm)
}

// ascending says that cumulative counts are some that a histogram can have.
func ascending(counts []float64) bool {
	before := 0.0
	for _, n := range counts {
		if !(n >= before) {
			return false
		}
		before = n
	}
	return !math.IsInf(before, 1)
}
