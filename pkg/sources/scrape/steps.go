// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"math"
	"slices"
)

// steps of one histogram, summed.
type steps struct {
	found bool
	// over are the steps of integer counts, each less the one before it; counts
	// are all others.
	over, counts []float64
	sum          float64
}

func (s *steps) reset(n int) {
	s.found, s.sum = false, 0
	s.over, s.counts = slices.Grow(s.over[:0], n)[:n], slices.Grow(s.counts[:0], n)[:n]
	clear(s.over)
	clear(s.counts)
}

// add the step of a record.
func (s *steps) add(payload []byte) {
	s.found = true
	s.sum += sumIn(payload)
	rest := payload[9:]
	if payload[0]&dense != 0 {
		for i := range s.counts {
			s.counts[i] += math.Float64frombits(binary.LittleEndian.Uint64(rest[8*i:]))
		}
		return
	}
	for i := 0; len(rest) > 0; i++ {
		var skip int
		var more int64
		skip, more, rest = cutStep(rest)
		i += skip
		s.over[i] += float64(more)
	}
}

// addBase adds what a chapter had counted before its first record: its newest counts
// less all steps.
func (s *steps) addBase(c *chapter) {
	var logged steps
	logged.reset(len(c.bounds))
	for log := c.log; len(log) > 0; {
		_, payload, rest := cut(log)
		if log = rest; kindOf(payload).state() == known {
			logged.add(payload)
		}
	}
	newest := c.counts(nil)
	for i, n := range logged.total() {
		s.counts[i] += newest[i] - n
	}
	s.found, s.sum = true, s.sum+c.sum()-logged.sum
}

// total of each count.
func (s *steps) total() []float64 {
	running := 0.0
	for i := range s.counts {
		running += s.over[i]
		s.counts[i] += running
	}
	return s.counts
}
