// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"strconv"
)

// blockBytes that are looked at to find a histogram: some dozen buckets with
// labels of a few hundred bytes. A larger one is read line by line.
const blockBytes = 32 << 10

// blockGrowth of a histogram from one answer to the next, at most, in bytes: its numbers
// may get longer.
const blockGrowth = 1 << 10

// spelled is how the histograms of a family were spelled last.
type spelled struct {
	texts  []string  // from le to the number, by bounds: `le="0.05"} `
	bounds []float64 // the same
}

// block reads a histogram that is spelled as it was in the last answer but for its
// numbers. It is not found where anything else differs: the lines are then read one
// by one.
func (d *textDecoder) block() (found bool, err error) {
	p := d.places
	if len(p.order) == 0 || len(p.spelled.texts) == 0 {
		return false, nil
	}
	pl, wanted := p.expected(), blockBytes
	if pl != nil && pl.size > 0 {
		wanted = int(pl.size) + blockGrowth
	}
	text, err := d.input.peek(wanted)
	if err != nil {
		return false, err
	}
	labels, is := cutPrefix(text, d.names.bucket)
	if !is {
		return false, nil
	}
	if pl == nil || !pl.begins(labels) {
		if pl = p.known(upToBound(labels)); pl == nil {
			return false, nil
		}
	}
	if size := int(pl.size); d.isUnchanged(pl, text) {
		d.line += len(p.spelled.texts) + 2
		if err := d.unchanged(d.family, p, pl); err != nil {
			return false, err
		}
		return true, d.input.skip(size)
	}
	begin := len(d.counts)
	b := blockReader{rest: text, raw: labels[:pl.length], counts: d.counts}
	sum, count, found := b.read(d.names, p.spelled)
	if d.counts = b.counts; !found {
		d.counts, pl.size = d.counts[:begin], 0
		return false, nil
	}
	size := len(text) - len(b.rest)
	d.line += len(b.counts) - begin + 2
	d.trace, pl.size = traceOf(text[:size]), uint32(size)
	if err := d.spelledAgain(pl, begin, count, sum); err != nil {
		return false, err
	}
	return true, d.input.skip(size)
}

// isUnchanged says that text begins with a histogram as it was in the last answer.
func (d *textDecoder) isUnchanged(pl *place, text []byte) bool {
	size, newest := int(pl.size), pl.newest()
	return newest != nil && len(newest.bounds) == len(d.places.spelled.texts) &&
		size > 0 && size <= len(text) && d.sameAs(newest, text[:size])
}

// spelledAgain adds a histogram with the bounds that were spelled last, and the counts
// from begin on.
func (d *textDecoder) spelledAgain(pl *place, begin int, count, sum float64) error {
	bounds, counts := d.places.spelled.bounds, d.counts[begin:]
	if newest := pl.newest(); newest != nil && sameBounds(bounds, newest.bounds) {
		if found, err := d.counted(d.family, d.places, pl, newest.bounds, begin, sum); found || err != nil {
			return err
		}
	}
	d.buckets = d.buckets[:0]
	for i, n := range counts {
		d.buckets = append(d.buckets, bucket{bounds[i], n})
	}
	d.counts = d.counts[:begin]
	return d.histogram(d.family, d.places, pl, d.buckets, count, sum)
}

// upToBound returns the labels of a bucket up to le, where le is the last one.
func upToBound(labels []byte) []byte {
	line, _, whole := bytes.Cut(labels, []byte{'\n'})
	if !whole {
		return nil
	}
	return labels[:max(0, bytes.LastIndex(line, []byte(`le="`)))]
}

type blockReader struct {
	rest   []byte
	raw    []byte
	counts []float64 // that were read are appended
}

func (b *blockReader) read(names partNames, s spelled) (sum, count float64, ok bool) {
	// The first line begins with the name and the labels; the others as it does.
	before := b.rest[:len(names.bucket)+len(b.raw)]
	for _, text := range s.texts {
		if !bytes.HasPrefix(b.rest, before) {
			return 0, 0, false
		}
		rest, ok := cutPrefix(b.rest[len(before):], text)
		if !ok {
			return 0, 0, false
		}
		n, rest, ok := cutNumber(rest)
		if !ok {
			return 0, 0, false
		}
		b.counts, b.rest = append(b.counts, n), rest
	}
	if sum, ok = b.closed(names.sum); !ok {
		return 0, 0, false
	}
	count, ok = b.closed(names.count)
	return sum, count, ok
}

// closed reads the sum or the count.
func (b *blockReader) closed(name string) (v float64, ok bool) {
	rest, ok := cutPrefix(b.rest, name)
	if !ok {
		return 0, false
	}
	labels := 0
	if len(b.raw) > 1 {
		labels = len(b.raw)
	}
	if len(rest) <= labels || !isClosed(rest[:labels], b.raw) || rest[labels] != ' ' {
		return 0, false
	}
	v, b.rest, ok = cutNumber(rest[labels+1:])
	return v, ok
}

// cutNumber reads a number that is the rest of a line. Counts, which are most of a
// body, are plain digits.
func cutNumber(text []byte) (v float64, rest []byte, ok bool) {
	var n uint64
	for i, c := range text {
		if '0' <= c && c <= '9' && i < 15 { // 15 digits are exact in a float64
			n = n*10 + uint64(c-'0')
			continue
		}
		if c == '\n' && i > 0 {
			return float64(n), text[i+1:], true
		}
		break
	}
	line, rest, whole := bytes.Cut(text, []byte{'\n'})
	if !whole {
		return 0, nil, false
	}
	v, err := strconv.ParseFloat(string(line), 64)
	return v, rest, err == nil
}

func startsWith(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
}

func cutPrefix(text []byte, prefix string) ([]byte, bool) {
	if !startsWith(text, prefix) {
		return nil, false
	}
	return text[len(prefix):], true
}
