// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"math"
	"slices"
)

// chapter of a histogram: a time in which it had the same bounds, was there, and was
// not reset. It holds the newest counts and a log of what changed, some bytes a scrape,
// where all counts of all scrapes would be some hundred.
//
// The log is a sequence of records, each the number of scrapes since the one
// before, the length of what follows, its kind, and for the kinds of known values
// the step of the sum (8 bytes) and of the counts.
type chapter struct {
	bounds  []float64 // shared with others
	counts  []float64 // the newest known ones
	sum     float64
	base    int // scrape from which the first record counts
	log     []byte
	earlier *chapter
}

// kind of a record.
type kind byte

const (
	nowAbsent kind = iota
	nowUnknown
	// added: the step is what was added since the last known value.
	added
	// anew: the step is the value as a whole. The series was absent before, or
	// reset. It is the first known value of a chapter.
	anew
	// dense is set where the counts are no integers: the step of each count is
	// eight bytes. Otherwise it is pairs of varints: how many counts to skip, and
	// by how much the next step is over the one before it.
	dense = 0x80
)

func (k kind) state() state {
	switch k {
	case nowAbsent:
		return absent
	case nowUnknown:
		return unknown
	default:
		return known
	}
}

// mark a record without a value.
func (c *chapter) mark(scrapes int, s state) {
	k := nowAbsent
	if s == unknown {
		k = nowUnknown
	}
	c.log = binary.AppendUvarint(c.log, uint64(scrapes))
	c.log = append(c.log, 1, byte(k))
}

// isWhole says that the log begins with the whole value: its first record of a known
// value is not dropped.
func (c *chapter) isWhole() bool {
	for log := c.log; len(log) > 0; {
		_, payload, rest := cut(log)
		if k := kindOf(payload); k.state() == known {
			return k == anew
		}
		log = rest
	}
	return false
}

// record a known value.
func (c *chapter) record(scrapes int, k kind, now sample) {
	counts, sum := now.counts, now.number
	var space [256]byte
	payload := append(space[:0], byte(k))
	payload = binary.LittleEndian.AppendUint64(payload, math.Float64bits(sum-c.sum))
	if sparse, exact := appendSparse(payload, c.counts, counts); exact {
		payload = sparse
	} else {
		payload[0] |= dense
		for i := range counts {
			payload = binary.LittleEndian.AppendUint64(payload, math.Float64bits(counts[i]-c.counts[i]))
		}
	}
	c.reserve(len(payload) + 2*binary.MaxVarintLen32)
	c.log = binary.AppendUvarint(c.log, uint64(scrapes))
	c.log = binary.AppendUvarint(c.log, uint64(len(payload)))
	c.log = append(c.log, payload...)
	copy(c.counts, counts)
	c.sum = sum
}

// reserve room for a record. A log grows until the history is full and not after
// that: growing by an eighth, where append would double it, wastes little for good.
func (c *chapter) reserve(n int) {
	if need := len(c.log) + n; need > cap(c.log) {
		grown := make([]byte, len(c.log), need+len(c.log)/8)
		copy(grown, c.log)
		c.log = grown
	}
}

// appendSparse steps from before to after, when they are integers.
func appendSparse(to []byte, before, after []float64) (log []byte, exact bool) {
	const largest = 1 << 53 // up to which every integer is a float64
	last, skip := int64(0), uint64(0)
	for i := range after {
		step := int64(after[i] - before[i])
		if !(after[i] < largest) || float64(int64(after[i])) != after[i] || float64(int64(before[i])) != before[i] {
			return nil, false
		}
		if step == last {
			skip++
			continue
		}
		to = binary.AppendUvarint(to, skip)
		to = binary.AppendVarint(to, step-last)
		last, skip = step, 0
	}
	return to, true
}

// cut the first record off a log.
func cut(log []byte) (scrapes int, payload, rest []byte) {
	if log[0] < 0x80 && log[1] < 0x80 { // as nearly all have it
		end := 2 + int(log[1])
		return int(log[0]), log[2:end], log[end:]
	}
	n, used := binary.Uvarint(log)
	size, more := binary.Uvarint(log[used:])
	begin := used + more
	return int(n), log[begin : begin+int(size)], log[begin+int(size):]
}

// kindOf a record.
func kindOf(payload []byte) kind { return kind(payload[0] &^ dense) }

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
	s.sum += math.Float64frombits(binary.LittleEndian.Uint64(payload[1:]))
	rest := payload[9:]
	if payload[0]&dense != 0 {
		for i := range s.counts {
			s.counts[i] += math.Float64frombits(binary.LittleEndian.Uint64(rest[8*i:]))
		}
		return
	}
	for i := 0; len(rest) > 0; i++ {
		if len(rest) > 1 && rest[0] < 0x80 && rest[1] < 0x80 { // as nearly all have it
			i += int(rest[0])
			s.over[i] += float64(int64(rest[1]>>1) ^ -int64(rest[1]&1))
			rest = rest[2:]
			continue
		}
		skip, n := binary.Uvarint(rest)
		step, m := binary.Varint(rest[n:])
		i, rest = i+int(skip), rest[n+m:]
		s.over[i] += float64(step)
	}
}

// addBase adds what a chapter had counted before its first record: its newest counts
// less all steps.
func (s *steps) addBase(c *chapter) {
	var logged steps
	logged.reset(len(c.counts))
	for log := c.log; len(log) > 0; {
		_, payload, rest := cut(log)
		if log = rest; kindOf(payload).state() == known {
			logged.add(payload)
		}
	}
	for i, n := range logged.total() {
		s.counts[i] += c.counts[i] - n
	}
	s.found, s.sum = true, s.sum+c.sum-logged.sum
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
