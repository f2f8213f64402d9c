// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"example.io/slo-apiserver/pkg/sources"
)

// naiveProto reads an answer of io.prometheus.client.MetricFamily messages, each
// after its length as a varint. Families that nobody wants are skipped by that
// length and never unmarshalled.
func naiveProto(r io.Reader, p plan, limits Limits) (naiveExposition, error) {
	d := naiveProtoDecoder{r: bufio.NewReaderSize(r, 64<<10), plan: p, builder: newNaiveBuilder(limits)}
	for i := 1; ; i++ {
		err := d.next()
		if errors.Is(err, io.EOF) {
			return d.builder.result, nil
		}
		if err != nil {
			return naiveExposition{}, fmt.Errorf("family %d: %w", i, err)
		}
	}
}

type naiveProtoDecoder struct {
	r       *bufio.Reader
	plan    plan
	builder *naiveBuilder
	buffer  bytes.Buffer
	message dto.MetricFamily
}

// next reads a family. io.EOF says that there was none left.
func (d *naiveProtoDecoder) next() error {
	length, err := binary.ReadUvarint(d.r)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case err != nil:
		return err
	case length > uint64(d.builder.limits.BodyBytes):
		return fmt.Errorf("is said to have %d bytes, more than the limit of %d for all", length, d.builder.limits.BodyBytes)
	}
	if name, found := d.peekName(length); found && d.plan[name] == nil {
		return notEOF(d.skip(int64(length)))
	}
	d.buffer.Reset()
	if _, err := io.CopyN(&d.buffer, d.r, int64(length)); err != nil {
		return notEOF(err)
	}
	if err := proto.Unmarshal(d.buffer.Bytes(), &d.message); err != nil {
		return err
	}
	f := d.plan[d.message.GetName()]
	if f == nil || len(d.message.Metric) == 0 {
		return nil
	}
	if !d.builder.hasType(f, strings.ToLower(d.message.GetType().String())) {
		return nil
	}
	for _, m := range d.message.Metric {
		if err := d.metric(f, m); err != nil {
			return err
		}
	}
	return nil
}

// peekName reads the name of a family without consuming it, when the message
// begins with it as all known encoders have it.
func (d *naiveProtoDecoder) peekName(length uint64) (string, bool) {
	const nameTag = 1<<3 | 2 // field 1, length-delimited (metrics.proto, MetricFamily.name)
	head, _ := d.r.Peek(int(min(length, 512)))
	if len(head) < 2 || head[0] != nameTag {
		return "", false
	}
	size, n := binary.Uvarint(head[1:])
	if n <= 0 || size > uint64(len(head)-1-n) {
		return "", false
	}
	return string(head[1+n : 1+n+int(size)]), true
}

// skip exactly n bytes.
func (d *naiveProtoDecoder) skip(n int64) error {
	_, err := io.CopyN(io.Discard, d.r, n)
	return err
}

func (d *naiveProtoDecoder) metric(f *family, m *dto.Metric) error {
	labels := make([]label, len(m.Label))
	for i, pair := range m.Label {
		labels[i] = label{pair.GetName(), pair.GetValue()}
	}
	switch {
	case f.kind == sources.Histogram && m.Histogram != nil:
		return d.histogram(f, labels, m.Histogram)
	case f.kind == sources.Counter && m.Counter != nil:
		return d.builder.number(f, labels, m.Counter.GetValue())
	case f.kind == sources.Gauge && m.Gauge != nil:
		return d.builder.number(f, labels, m.Gauge.GetValue())
	case m.Untyped != nil && f.kind != sources.Histogram:
		return d.builder.number(f, labels, m.Untyped.GetValue())
	}
	return fmt.Errorf("a series of %s has no value of its type", f.name)
}

// histogram reads the classic buckets; the native ones beside them are passed over.
func (d *naiveProtoDecoder) histogram(f *family, labels []label, h *dto.Histogram) error {
	buckets := make([]bucket, len(h.Bucket), len(h.Bucket)+1)
	for i, b := range h.Bucket {
		buckets[i] = bucket{b.GetUpperBound(), float64(b.GetCumulativeCount())}
		if b.CumulativeCountFloat != nil {
			buckets[i].count = b.GetCumulativeCountFloat()
		}
	}
	count, sum := math.NaN(), math.NaN()
	switch {
	case h.SampleCountFloat != nil:
		count = h.GetSampleCountFloat()
	case h.SampleCount != nil:
		count = float64(h.GetSampleCount())
	}
	if h.SampleSum != nil {
		sum = h.GetSampleSum()
	}
	return d.builder.histogram(f, labels, buckets, count, sum)
}
