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

// spelled is how the histograms of a family were spelled last.
type spelled struct {
	texts  []string  // of le, ascending
	bounds []float64 // the same
}

// block reads a histogram that is spelled as it was in the last answer but for its
// numbers. It is not found where anything else differs: the lines are then read one
// by one.
func (d *textDecoder) block() (found bool, err error) {
	f, p := d.family, d.places
	if len(p.byRaw) == 0 || len(p.spelled.texts) == 0 {
		return false, nil
	}
	text, err := d.input.peek(blockBytes)
	if err != nil {
		return false, err
	}
	labels, is := cutPrefix(text, d.names.bucket)
	if !is {
		return false, nil
	}
	pl := p.expected()
	if pl == nil || !startsWith(labels, pl.raw) {
		if pl = p.byRaw[string(upToBound(labels))]; pl == nil {
			return false, nil
		}
	}
	b := blockReader{rest: text, raw: pl.raw, buckets: d.buckets[:0]}
	sum, count, found := b.read(d.names, p.spelled)
	d.buckets = b.buckets
	if !found {
		return false, nil
	}
	d.line += len(b.buckets) + 2
	if err := d.histogram(f, p, pl, b.buckets, count, sum); err != nil {
		return false, err
	}
	return true, d.input.skip(len(text) - len(b.rest))
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
	rest    []byte
	raw     string
	buckets []bucket
}

func (b *blockReader) read(names partNames, s spelled) (sum, count float64, ok bool) {
	for i, text := range s.texts {
		rest, ok := cutPrefix(b.rest, names.bucket)
		if !ok || !startsWith(rest, b.raw) {
			return 0, 0, false
		}
		if rest, ok = cutPrefix(rest[len(b.raw):], `le="`); !ok {
			return 0, 0, false
		}
		if rest, ok = cutPrefix(rest, text); !ok {
			return 0, 0, false
		}
		if rest, ok = cutPrefix(rest, `"} `); !ok {
			return 0, 0, false
		}
		n, rest, ok := cutNumber(rest)
		if !ok {
			return 0, 0, false
		}
		b.buckets, b.rest = append(b.buckets, bucket{s.bounds[i], n}), rest
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
