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
	newest  []byte    // known value, as a record that is anew has it: counts take five times that
	trace   uint64    // of the bytes that the newest value was read from last
	base    int       // scrape from which the first record counts
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

// record a known value, which comes after the counts before, or after nothing.
func (c *chapter) record(scrapes int, k kind, before []float64, now *sample) {
	var space [256]byte
	step := now.number
	if k == added {
		step -= c.sum()
	}
	payload := appendValue(space[:0], k, step, before, now.counts)
	c.reserve(len(payload) + 2*binary.MaxVarintLen32)
	c.log = binary.AppendUvarint(c.log, uint64(scrapes))
	c.log = binary.AppendUvarint(c.log, uint64(len(payload)))
	c.log = append(c.log, payload...)
	c.trace = now.trace
	payload = appendValue(space[:0], anew, now.number, nil, now.counts)
	if len(payload) > cap(c.newest) {
		c.newest = nil // append would double it
	}
	c.newest = append(c.newest[:0], payload...)
}

// sum of the newest known value.
func (c *chapter) sum() float64 { return sumIn(c.newest) }

func sumIn(payload []byte) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(payload[1:]))
}

// counts of the newest known value, in the memory of to if that is enough.
func (c *chapter) counts(to []float64) []float64 {
	n := len(c.bounds)
	to = slices.Grow(to[:0], n)[:n]
	rest := c.newest[9:]
	if c.newest[0]&dense != 0 {
		for i := range to {
			to[i] = math.Float64frombits(binary.LittleEndian.Uint64(rest[8*i:]))
		}
		return to
	}
	count, next := 0.0, 0
	for len(rest) > 0 {
		var skip int
		var more int64
		skip, more, rest = cutStep(rest)
		for end := next + skip; next < end; next++ {
			to[next] = count
		}
		count += float64(more)
		to[next] = count
		next++
	}
	for ; next < n; next++ {
		to[next] = count
	}
	return to
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

// appendValue of a record: the step of its sum, and those from the counts before, or
// from zero, to the counts after.
func appendValue(to []byte, k kind, sum float64, before, after []float64) []byte {
	begin := len(to)
	to = append(to, byte(k))
	to = binary.LittleEndian.AppendUint64(to, math.Float64bits(sum))
	if sparse, exact := appendSparse(to, before, after); exact {
		return sparse
	}
	to[begin] |= dense
	for i := range after {
		to = binary.LittleEndian.AppendUint64(to, math.Float64bits(after[i]-at(before, i)))
	}
	return to
}

// at is the count at i, which is zero where there were none.
func at(counts []float64, i int) float64 {
	if counts == nil {
		return 0
	}
	return counts[i]
}

// appendSparse steps from before to after, when they are integers.
func appendSparse(to []byte, before, after []float64) (log []byte, exact bool) {
	const largest = 1 << 53 // up to which every integer is a float64
	last, skip := int64(0), uint64(0)
	for i := range after {
		from := at(before, i)
		step := int64(after[i] - from)
		if !(after[i] < largest) || float64(int64(after[i])) != after[i] || float64(int64(from)) != from {
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

// cutStep cuts the first step off those that are integers: after how many counts the
// step is another one, and by how much it is more.
func cutStep(steps []byte) (skip int, more int64, rest []byte) {
	if len(steps) > 1 && steps[0] < 0x80 && steps[1] < 0x80 { // as nearly all have it
		return int(steps[0]), int64(steps[1]>>1) ^ -int64(steps[1]&1), steps[2:]
	}
	passed, n := binary.Uvarint(steps)
	more, m := binary.Varint(steps[n:])
	return int(passed), more, steps[n+m:]
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
