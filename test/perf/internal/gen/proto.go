// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// ProtoContentType is what a kube-apiserver says of the protobuf format.
const ProtoContentType = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores"

// Field numbers of io.prometheus.client (client_model, metrics.proto).
const (
	familyName, familyHelp, familyType, familyMetric                    = 1, 2, 3, 4
	metricLabel, metricGauge, metricCounter, metricSummary, metricHisto = 1, 2, 3, 4, 7
	number                                                              = 1
	counterCreated, summaryCreated, histogramCreated                    = 3, 4, 15
	observedCount, observedSum, observedPart                            = 1, 2, 3
	partKey, partValue                                                  = 1, 2
	typeCounter, typeGauge, typeSummary, typeHistogram                  = 0, 1, 2, 4
)

func labelProto(names, values []string) []byte {
	var out, pair []byte
	for i, name := range names {
		pair = appendString(appendString(pair[:0], 1, name), 2, values[i])
		out = appendMessage(out, metricLabel, pair)
	}
	return out
}

// AppendProto appends the body in the delimited protobuf format, as client_golang
// makes it: +Inf is no bucket, and what counts has its time of creation.
func (p *Process) AppendProto(dst []byte) []byte {
	for _, f := range p.families {
		if len(f.Series) == 0 {
			continue
		}
		message := appendString(appendString(p.buffers[0][:0], familyName, f.Name), familyHelp, f.Help)
		message = protowire.AppendTag(message, familyType, protowire.VarintType)
		message = protowire.AppendVarint(message, [...]uint64{typeCounter, typeGauge, typeHistogram, typeSummary}[f.Kind])
		for _, s := range f.Series {
			p.buffers[1] = append(p.buffers[1][:0], s.labelProto...)
			p.buffers[1] = p.appendValue(p.buffers[1], f, s)
			message = appendMessage(message, familyMetric, p.buffers[1])
		}
		p.buffers[0] = message
		dst = protowire.AppendVarint(dst, uint64(len(message)))
		dst = append(dst, message...)
	}
	return dst
}

func (p *Process) appendValue(dst []byte, f *Family, s *Series) []byte {
	v, field := p.buffers[2][:0], protowire.Number(0)
	switch f.Kind {
	case Gauge:
		v, field = appendDouble(v, number, s.Value), metricGauge
	case Counter:
		v, field = appendCreated(appendDouble(v, number, s.Value), counterCreated, s.Created), metricCounter
	case Histogram:
		v, field = appendCount(v, observedCount, s.count()), metricHisto
		v = appendDouble(v, observedSum, s.Sum)
		var cumulative uint64
		for i, bound := range f.Bounds {
			cumulative += s.Counts[i]
			p.buffers[3] = appendDouble(appendCount(p.buffers[3][:0], partKey, cumulative), partValue, bound)
			v = appendMessage(v, observedPart, p.buffers[3])
		}
		v = appendCreated(v, histogramCreated, s.Created)
	case Summary:
		v, field = appendDouble(appendCount(v, observedCount, s.count()), observedSum, s.Sum), metricSummary
		for i, q := range f.Bounds {
			p.buffers[3] = appendDouble(appendDouble(p.buffers[3][:0], partKey, q), partValue, s.Quantiles[i])
			v = appendMessage(v, observedPart, p.buffers[3])
		}
		v = appendCreated(v, summaryCreated, s.Created)
	}
	p.buffers[2] = v
	return appendMessage(dst, field, v)
}

func appendString(dst []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, field, protowire.BytesType), s)
}

func appendMessage(dst []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, field, protowire.BytesType), message)
}

func appendDouble(dst []byte, field protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(dst, field, protowire.Fixed64Type), math.Float64bits(v))
}

func appendCount(dst []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.VarintType), n)
}

func appendCreated(dst []byte, field protowire.Number, at time.Time) []byte {
	var stamp []byte
	stamp = appendCount(stamp, 1, uint64(at.Unix()))
	if nanos := at.Nanosecond(); nanos > 0 {
		stamp = appendCount(stamp, 2, uint64(nanos))
	}
	return appendMessage(dst, field, stamp)
}
