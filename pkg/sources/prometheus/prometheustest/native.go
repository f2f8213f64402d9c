// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheustest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Native is a native histogram: how many observations each bucket holds, by index. The
// upper bound of a bucket is 2^(index/2^Schema), or Bounds[index] where there are custom
// ones; the last of these is +Inf, and not among them.
type Native struct {
	Schema  int32
	Bounds  []float64
	Buckets map[int]int64
	// Negative holds those of observations below zero, by the index of their mirror.
	Negative map[int]int64
	Sum      float64
	// Zero is the count of the zero bucket, which there is without custom bounds; it
	// ends at ZeroThreshold, or that of client_golang where this is zero.
	Zero          int64
	ZeroThreshold float64
}

// customSchema says that there are custom bounds (prometheus model/histogram).
const customSchema = -53

// clientZeroThreshold is that of client_golang (DefNativeHistogramZeroThreshold).
const clientZeroThreshold = 2.938735877055719e-39

// message is prometheus.Histogram of the remote write protocol, version 1.
func (n *Native) message(at time.Time) []byte {
	var m []byte
	double := func(field protowire.Number, value float64) {
		m = protowire.AppendTag(m, field, protowire.Fixed64Type)
		m = protowire.AppendFixed64(m, math.Float64bits(value))
	}
	number := func(field protowire.Number, value uint64) {
		m = protowire.AppendTag(m, field, protowire.VarintType)
		m = protowire.AppendVarint(m, value)
	}
	total := n.Zero
	for _, buckets := range []map[int]int64{n.Buckets, n.Negative} {
		for _, count := range buckets {
			total += count
		}
	}
	schema, zeroThreshold := n.Schema, cmp.Or(n.ZeroThreshold, clientZeroThreshold)
	if n.Bounds != nil {
		schema, zeroThreshold = customSchema, 0
	}
	number(1, uint64(total))
	double(3, n.Sum)
	number(4, protowire.EncodeZigZag(int64(schema)))
	double(5, zeroThreshold)
	number(6, uint64(n.Zero))
	m = appendBuckets(m, 8, n.Negative)
	m = appendBuckets(m, 11, n.Buckets)
	number(15, uint64(at.UnixMilli()))
	for _, bound := range n.Bounds {
		double(16, bound)
	}
	return m
}

// appendBuckets as spans, and in the next field as differences of counts.
func appendBuckets(m []byte, field protowire.Number, buckets map[int]int64) []byte {
	var deltas []byte
	last, next := int64(0), 0
	for _, i := range slices.Sorted(maps.Keys(buckets)) {
		// A span for each bucket: the distance from the end of the one before.
		span := protowire.AppendTag(nil, 1, protowire.VarintType)
		span = protowire.AppendVarint(span, protowire.EncodeZigZag(int64(i-next)))
		span = protowire.AppendTag(span, 2, protowire.VarintType)
		span = protowire.AppendVarint(span, 1)
		m = protowire.AppendTag(m, field, protowire.BytesType)
		m = protowire.AppendBytes(m, span)
		deltas = protowire.AppendVarint(deltas, protowire.EncodeZigZag(buckets[i]-last))
		last, next = buckets[i], i+1
	}
	m = protowire.AppendTag(m, field+1, protowire.BytesType)
	return protowire.AppendBytes(m, deltas)
}
