// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"hash/maphash"
	"math"
)

// Most of an answer stands where it stood in the last one, and most histograms have
// counted nothing since. Both are known by a trace of their bytes (docs/decisions/0024).
// Of the histograms that have counted, most still have the buckets that they had. That
// these are sorted and end with +Inf was seen before: what is left to see is that counts
// do not fall from one to the next.

// seed of the traces, which no target knows.
var seed = maphash.MakeSeed()

// traceOf labels or a histogram as they are spelled, which is never 0. Others have
// another one, but for one case in 2^64.
func traceOf(spelled []byte) uint64 { return max(1, maphash.Bytes(seed, spelled)) }

// newest value that the store holds of the histogram that stood at a place in the last
// answer; nil when it was no valid one, or is not held.
func (pl *place) newest() *chapter {
	if pl.held == nil || pl.held.histogram == nil || pl.held.histogram.state != known {
		return nil
	}
	return pl.held.histogram.chapter
}

// sameAs says that the bytes of the histogram that is read are those of a newest value.
func (s *scanner) sameAs(newest *chapter, message []byte) bool {
	s.trace = traceOf(message)
	return newest != nil && newest.trace == s.trace
}

// unchanged adds a histogram that is what it was in the last answer.
func (s *scanner) unchanged(f *family, p *places, pl *place) error {
	s.exposed(f, p)
	return s.add(p, pl, sample{place: pl, state: known, unchanged: true})
}

// counted adds a histogram with bounds that it had in the last answer, and the counts
// from begin on in scratch. It is not found, and the counts are dropped, when they are
// not ascending.
func (s *scanner) counted(f *family, p *places, pl *place, bounds []float64, begin int, sum float64) (found bool, err error) {
	counts := s.counts[begin:len(s.counts):len(s.counts)]
	if !ascending(counts) {
		s.counts = s.counts[:begin]
		return false, nil
	}
	s.exposed(f, p)
	return true, s.add(p, pl, sample{place: pl, state: known, number: sum, bounds: bounds, counts: counts, trace: s.trace})
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
