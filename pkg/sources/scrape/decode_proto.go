// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"example.io/slo-apiserver/pkg/sources"
)

// decodeProto reads an answer of io.prometheus.client.MetricFamily messages, each
// after its length as a varint. Families that nobody wants are skipped by that
// length. The others are walked field by field: the library would make an object
// of every bucket.
func decodeProto(r io.Reader, s *scanner) error {
	d := protoDecoder{scanner: s, input: input{r: r, buffer: s.scratch.input}}
	defer func() { s.scratch.input = d.input.buffer }()
	for i := 1; ; i++ {
		err := d.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("family %d: %w", i, err)
		}
	}
}

type protoDecoder struct {
	*scanner
	input  input
	family *family // of the message
	places *places // of the family
	value  protoValue
	labels []label
}

// next reads a family. io.EOF says that there was none left.
func (d *protoDecoder) next() error {
	head, err := d.input.peek(binary.MaxVarintLen64)
	if err != nil {
		return err
	}
	if len(head) == 0 {
		return io.EOF
	}
	length, n := binary.Uvarint(head)
	switch {
	case n == 0:
		return errTruncated
	case n < 0:
		return errors.New("its length is no varint")
	case length > uint64(d.limits.BodyBytes):
		return fmt.Errorf("is said to have %d bytes, more than the limit of %d for all", length, d.limits.BodyBytes)
	}
	if err := d.input.skip(n); err != nil {
		return err
	}
	if head, err = d.input.peek(int(min(length, largestHead))); err != nil {
		return err
	}
	if name, found := peekName(head); found && d.wanted(name) == nil {
		return notEOF(d.input.skip(int(length)))
	}
	if name, typ, size, plain := peekHead(head[:min(len(head), int(length))]); plain {
		if !d.begin(name, typ) {
			return notEOF(d.input.skip(int(length)))
		}
		if err := d.input.skip(size); err != nil {
			return err
		}
		return d.series(int(length) - size)
	}
	message, err := d.input.peek(int(length))
	if err != nil {
		return err
	}
	if uint64(len(message)) < length {
		return errTruncated
	}
	if err := d.message(message[:length]); err != nil {
		return err
	}
	return d.input.skip(int(length))
}

// notEOF turns an end within a message into what it is.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errTruncated
	}
	return err
}

func (d *protoDecoder) metric(message []byte) error {
	if d.trace = 0; d.family.kind == sources.Histogram {
		if found, err := d.recognized(message); found || err != nil {
			return err
		}
	}
	end := labelsEnd(message)
	d.value.reset(d.buckets)
	scattered, err := d.value.read(message[end:])
	d.buckets = d.value.buckets
	if err != nil {
		return err
	}
	if d.family.kind == sources.Histogram && d.value.histogram && !d.hasClassicBuckets(d.family, d.value.buckets) {
		return nil
	}
	raw := message[:end]
	if scattered {
		raw = message // there are labels behind the value
	}
	pl := d.places.known(raw)
	if pl == nil || scattered {
		if d.labels, err = readLabels(message, d.labels[:0]); err != nil {
			return err
		}
		if pl, err = d.identify(d.family, d.places, d.labels, raw); err != nil {
			return err
		}
	}
	v := &d.value
	switch {
	case d.family.kind == sources.Histogram && v.histogram:
		return d.histogram(d.family, d.places, pl, v.buckets, v.total(), v.sum)
	case d.family.kind == sources.Counter && v.counter.found:
		return d.number(d.family, d.places, pl, v.counter.value)
	case d.family.kind == sources.Gauge && v.gauge.found:
		return d.number(d.family, d.places, pl, v.gauge.value)
	case v.untyped.found && d.family.kind != sources.Histogram:
		return d.number(d.family, d.places, pl, v.untyped.value)
	}
	return fmt.Errorf("a series of %s has no value of its type", d.family.name)
}
