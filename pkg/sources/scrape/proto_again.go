// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// recognized reads a histogram that stands where it stood in the last answer, with the
// buckets that it had there. It is not found where anything else differs than its
// numbers: the message is then read field by field.
func (d *protoDecoder) recognized(message []byte) (found bool, err error) {
	pl := d.places.expected()
	if pl == nil || !pl.begins(message) {
		return false, nil
	}
	newest, value := pl.newest(), message[pl.length:]
	if len(value) == 0 || value[0] != tag(metricHistogram) {
		return false, nil
	}
	if d.sameAs(newest, value) {
		return true, d.unchanged(d.family, d.places, pl)
	}
	if newest == nil {
		return false, nil
	}
	begin := len(d.counts)
	counts, sum, is := appendCounts(d.counts, value, newest.bounds)
	if d.counts = counts; !is {
		d.counts = counts[:begin]
		return false, nil
	}
	return d.counted(d.family, d.places, pl, newest.bounds, begin, sum)
}

// appendCounts of a histogram that is all that is left of a metric: count, sum and a
// bucket for each bound but the last one, which is +Inf, in the order in which all known
// encoders write them. What follows can not be more buckets; when it was created is
// passed over.
func appendCounts(to []float64, message []byte, bounds []float64) (counts []float64, sum float64, ok bool) {
	size, n := binary.Uvarint(message[1:]) // behind its tag
	if n <= 0 || size != uint64(len(message)-1-n) {
		return to, 0, false
	}
	const (
		count = histogramCount<<3 | byte(protowire.VarintType)
		total = histogramSum<<3 | byte(protowire.Fixed64Type)
	)
	rest := message[1+n:]
	if len(rest) == 0 || rest[0] != count {
		return to, 0, false
	}
	all, n := binary.Uvarint(rest[1:])
	if n <= 0 || len(rest) < 1+n+9 || rest[1+n] != total {
		return to, 0, false
	}
	sum = math.Float64frombits(binary.LittleEndian.Uint64(rest[2+n:]))
	rest = rest[1+n+9:]
	for _, bound := range bounds[:len(bounds)-1] {
		b, after, plain := cutBucket(rest)
		if !plain || b.bound != bound {
			return to, 0, false
		}
		to, rest = append(to, b.count), after
	}
	for f := (fields{rest: rest}); f.next(); {
		if f.malformed || f.number <= histogramCountFloat {
			return to, 0, false
		}
	}
	return append(to, float64(all)), sum, true
}
