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

// plainBuckets reads buckets for as long as they are a count and a bound, in that
// order and nothing else, and returns what follows. Nearly all of a body is that.
func (v *protoValue) plainBuckets(rest []byte) []byte {
	const count, bound = byte(bucketCount64)<<3 | byte(protowire.VarintType), byte(bucketBound)<<3 | byte(protowire.Fixed64Type)
	for len(rest) > 2 && rest[0] == tag(histogramBucket) {
		size := int(rest[1]) // more than 127 is a longer varint, and not plain
		if size < 11 || size > 20 || len(rest) < 2+size || rest[2] != count {
			return rest
		}
		message := rest[3 : 2+size]
		n, used := uint64(message[0]), 1
		if n >= 0x80 {
			if n, used = binary.Uvarint(message); used <= 0 {
				return rest
			}
		}
		if len(message) != used+9 || message[used] != bound {
			return rest
		}
		v.buckets = append(v.buckets, bucket{math.Float64frombits(binary.LittleEndian.Uint64(message[used+1:])), float64(n)})
		rest = rest[2+size:]
	}
	return rest
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
