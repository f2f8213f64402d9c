// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheustest

import (
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Native is a native histogram: how many observations each bucket holds, by index. The
// upper bound of a bucket is 2^(index/2^Schema).
type Native struct {
	Schema  int32
	Buckets map[int]int64
	Sum     float64
}

// message is prometheus.Histogram of the remote write protocol, version 1.
func (n *Native) message(at time.Time) []byte {
	var m, spans, deltas []byte
	double := func(field protowire.Number, value float64) {
		m = protowire.AppendTag(m, field, protowire.Fixed64Type)
		m = protowire.AppendFixed64(m, math.Float64bits(value))
	}
	indexes := slices.Sorted(maps.Keys(n.Buckets))
	total, last, next := int64(0), int64(0), 0
	for _, i := range indexes {
		count := n.Buckets[i]
		// A span for each bucket: the distance from the end of the one before.
		span := protowire.AppendTag(nil, 1, protowire.VarintType)
		span = protowire.AppendVarint(span, protowire.EncodeZigZag(int64(i-next)))
		span = protowire.AppendTag(span, 2, protowire.VarintType)
		span = protowire.AppendVarint(span, 1)
		spans = protowire.AppendTag(spans, 11, protowire.BytesType)
		spans = protowire.AppendBytes(spans, span)
		deltas = protowire.AppendVarint(deltas, protowire.EncodeZigZag(count-last))
		total, last, next = total+count, count, i+1
	}
	m = protowire.AppendTag(m, 1, protowire.VarintType)
	m = protowire.AppendVarint(m, uint64(total))
	double(3, n.Sum)
	m = protowire.AppendTag(m, 4, protowire.VarintType)
	m = protowire.AppendVarint(m, protowire.EncodeZigZag(int64(n.Schema)))
	double(5, 2.938735877055719e-39) // client_golang's zero threshold
	m = append(m, spans...)
	m = protowire.AppendTag(m, 12, protowire.BytesType)
	m = protowire.AppendBytes(m, deltas)
	m = protowire.AppendTag(m, 15, protowire.VarintType)
	return protowire.AppendVarint(m, uint64(at.UnixMilli()))
}
