// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields that are read (prometheus/client_model,
// io/prometheus/client/metrics.proto).
const (
	familyName, familyType, familyMetric = 1, 3, 4

	metricLabel, metricGauge, metricCounter, metricUntyped, metricHistogram = 1, 2, 3, 5, 7

	labelName, labelText = 1, 2

	numberValue = 1 // of gauges, counters and untyped metrics

	histogramCount, histogramSum, histogramBucket, histogramCountFloat = 1, 2, 3, 4

	bucketCount64, bucketBound, bucketCountFloat = 1, 2, 4
)

var errNotProto = errors.New("is not protobuf")

// tag that precedes a field of bytes; one byte for the numbers above.
func tag(field protowire.Number) byte { return byte(field)<<3 | byte(protowire.BytesType) }

// fields of a message, one after the other. Those of other types than they are
// asked for are passed over, as any unknown field is.
type fields struct {
	rest      []byte
	number    protowire.Number
	typ       protowire.Type
	bytes     []byte
	varint    uint64 // of a VarintType, Fixed64Type
	malformed bool
}

// next field, false at the end. What can not be read is a last field that is
// malformed.
func (f *fields) next() bool {
	if len(f.rest) == 0 || f.malformed {
		return false
	}
	number, typ, n := protowire.ConsumeTag(f.rest)
	if n < 0 {
		return f.fail()
	}
	f.number, f.typ, f.rest = number, typ, f.rest[n:]
	switch typ {
	case protowire.VarintType:
		f.varint, n = protowire.ConsumeVarint(f.rest)
	case protowire.Fixed64Type:
		f.varint, n = protowire.ConsumeFixed64(f.rest)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(f.rest)
	default:
		n = protowire.ConsumeFieldValue(number, typ, f.rest)
	}
	if n < 0 {
		return f.fail()
	}
	f.rest = f.rest[n:]
	return true
}

func (f *fields) fail() bool {
	f.number, f.malformed = 0, true
	return true
}

func (f *fields) is(number protowire.Number, typ protowire.Type) bool {
	return f.number == number && f.typ == typ
}

func (f *fields) float() float64 { return math.Float64frombits(f.varint) }

// labelsEnd is the length of the labels that a metric begins with.
func labelsEnd(message []byte) int {
	end := 0
	for end < len(message) && message[end] == tag(metricLabel) {
		size, n := binary.Uvarint(message[end+1:])
		if n <= 0 || size > uint64(len(message)-end-1-n) {
			break
		}
		end += 1 + n + int(size)
	}
	return end
}

// readLabels of a metric, wherever they stand in it.
func readLabels(message []byte, labels []label) ([]label, error) {
	for f := (fields{rest: message}); f.next(); {
		if f.malformed {
			return nil, errNotProto
		}
		if !f.is(metricLabel, protowire.BytesType) {
			continue
		}
		var l label
		for pair := (fields{rest: f.bytes}); pair.next(); {
			switch {
			case pair.malformed:
				return nil, errNotProto
			case pair.is(labelName, protowire.BytesType):
				l.name = string(pair.bytes)
			case pair.is(labelText, protowire.BytesType):
				l.value = string(pair.bytes)
			}
		}
		labels = append(labels, l)
	}
	return labels, nil
}
