// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// protoValue is what a Metric message says beside its labels.
type protoValue struct {
	counter, gauge, untyped optional
	histogram               bool
	buckets                 []bucket
	count, countFloat       optional
	sum                     float64 // NaN when it is not there
}

type optional struct {
	value float64
	found bool
}

func (v *protoValue) reset(buckets []bucket) {
	*v = protoValue{buckets: buckets[:0], sum: math.NaN()}
}

// total number of observations; NaN when it is not there.
func (v *protoValue) total() float64 {
	switch {
	case v.countFloat.found:
		return v.countFloat.value
	case v.count.found:
		return v.count.value
	}
	return math.NaN()
}

// read the fields of a metric. It tells whether there were labels among them.
func (v *protoValue) read(message []byte) (labels bool, err error) {
	for f := (fields{rest: message}); f.next(); {
		switch {
		case f.malformed:
			err = errNotProto
		case f.typ != protowire.BytesType:
		case f.number == metricLabel:
			labels = true
		case f.number == metricGauge:
			err = v.gauge.read(f.bytes)
		case f.number == metricCounter:
			err = v.counter.read(f.bytes)
		case f.number == metricUntyped:
			err = v.untyped.read(f.bytes)
		case f.number == metricHistogram:
			err = v.readHistogram(f.bytes)
		}
		if err != nil {
			return false, err
		}
	}
	return labels, nil
}

// read a Gauge, Counter or Untyped message.
func (o *optional) read(message []byte) error {
	o.found = true
	for f := (fields{rest: message}); f.next(); {
		switch {
		case f.malformed:
			return errNotProto
		case f.is(numberValue, protowire.Fixed64Type):
			o.value = f.float()
		}
	}
	return nil
}

// readHistogram takes the classic buckets; the native ones beside them are passed
// over.
func (v *protoValue) readHistogram(message []byte) error {
	v.histogram = true
	f := fields{rest: message}
	for {
		f.rest = v.plainBuckets(f.rest)
		if !f.next() {
			return nil
		}
		switch {
		case f.malformed:
			return errNotProto
		case f.is(histogramBucket, protowire.BytesType):
			if err := v.readBucket(f.bytes); err != nil {
				return err
			}
		case f.is(histogramCount, protowire.VarintType):
			v.count = optional{float64(f.varint), true}
		case f.is(histogramCountFloat, protowire.Fixed64Type):
			v.countFloat = optional{f.float(), true}
		case f.is(histogramSum, protowire.Fixed64Type):
			v.sum = f.float()
		}
	}
}

// plainBuckets reads buckets for as long as they are plain, and returns what follows.
func (v *protoValue) plainBuckets(rest []byte) []byte {
	for {
		b, after, plain := cutBucket(rest)
		if !plain {
			return rest
		}
		v.buckets, rest = append(v.buckets, b), after
	}
}

// cutBucket reads a bucket that is plain: a count and a bound, in that order and nothing
// else. Nearly all of a body is that.
func cutBucket(rest []byte) (b bucket, after []byte, plain bool) {
	const count, bound = byte(bucketCount64)<<3 | byte(protowire.VarintType), byte(bucketBound)<<3 | byte(protowire.Fixed64Type)
	if len(rest) < 14 || rest[0] != tag(histogramBucket) || rest[2] != count {
		return bucket{}, nil, false
	}
	end := 2 + int(rest[1]) // more than 127 is a longer varint, and not plain
	used := end - 12        // of the count
	if used < 1 || used > 9 || len(rest) < end || rest[end-9] != bound {
		return bucket{}, nil, false
	}
	var n uint64
	for i, c := range rest[3 : 3+used] {
		n |= uint64(c&0x7f) << (7 * i)
		if (c < 0x80) != (i == used-1) {
			return bucket{}, nil, false
		}
	}
	return bucket{math.Float64frombits(binary.LittleEndian.Uint64(rest[end-8:])), float64(n)}, rest[end:], true
}

func (v *protoValue) readBucket(message []byte) error {
	var b bucket
	var count, countFloat optional
	for f := (fields{rest: message}); f.next(); {
		switch {
		case f.malformed:
			return errNotProto
		case f.is(bucketCount64, protowire.VarintType):
			count = optional{float64(f.varint), true}
		case f.is(bucketCountFloat, protowire.Fixed64Type):
			countFloat = optional{f.float(), true}
		case f.is(bucketBound, protowire.Fixed64Type):
			b.bound = f.float()
		}
	}
	if b.count = count.value; countFloat.found {
		b.count = countFloat.value
	}
	v.buckets = append(v.buckets, b)
	return nil
}
