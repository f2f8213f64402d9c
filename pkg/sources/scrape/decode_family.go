// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"encoding/binary"
	"errors"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protowire"
)

// peekName reads the name of a family from the head of its message, when it
// begins with it as all known encoders have it.
func peekName(head []byte) ([]byte, bool) {
	if len(head) < 2 || head[0] != tag(familyName) {
		return nil, false
	}
	size, n := binary.Uvarint(head[1:])
	if n <= 0 || size > uint64(len(head)-1-n) {
		return nil, false
	}
	return head[1+n : 1+n+int(size)], true
}

// largestHead of a family's message that is looked at before its first series, in bytes:
// the name, the help text and the type.
const largestHead = 4 << 10

// peekHead reads what a message of a family begins with when its name, help text and
// type come before its series, as all known encoders have it.
func peekHead(head []byte) (name []byte, typ dto.MetricType, size int, plain bool) {
	var found bool
	for f := (fields{rest: head}); len(f.rest) > 0; size = len(head) - len(f.rest) {
		if f.rest[0] == tag(familyMetric) {
			return name, typ, size, found && len(name) > 0
		}
		switch f.next(); {
		case f.is(familyName, protowire.BytesType):
			name = f.bytes
		case f.is(familyType, protowire.VarintType):
			typ, found = dto.MetricType(f.varint), true
		case f.malformed:
			return nil, 0, 0, false
		}
	}
	return nil, 0, 0, false
}

// errBehindSeries is of messages that no encoder makes.
var errBehindSeries = errors.New("its name or type comes behind its series")

// series of a family, which are all that its message has left. One after the other is
// read, so that no more than one has to be in memory.
func (d *protoDecoder) series(left int) error {
	for left > 0 {
		head, err := d.input.peek(min(left, 1+binary.MaxVarintLen64))
		if err != nil {
			return err
		}
		if len(head) == 0 {
			return errTruncated
		}
		if head[0] != tag(familyMetric) {
			return d.behindSeries(left)
		}
		size, n := binary.Uvarint(head[1:min(len(head), left)])
		if n <= 0 || size > uint64(left-1-n) {
			return errNotProto
		}
		field := 1 + n + int(size)
		message, err := d.input.peek(field)
		if err != nil {
			return err
		}
		if len(message) < field {
			return errTruncated
		}
		if err := d.metric(message[1+n : field]); err != nil {
			return err
		}
		if err := d.input.skip(field); err != nil {
			return err
		}
		left -= field
	}
	return nil
}

// behindSeries reads the rest of a message that does not go on with a series: its unit,
// or what is not known.
func (d *protoDecoder) behindSeries(left int) error {
	message, err := d.input.peek(left)
	if err != nil {
		return err
	}
	if len(message) < left {
		return errTruncated
	}
	for f := (fields{rest: message[:left]}); f.next(); {
		switch {
		case f.malformed:
			return errNotProto
		case f.is(familyName, protowire.BytesType), f.is(familyType, protowire.VarintType):
			return errBehindSeries
		case f.is(familyMetric, protowire.BytesType):
			if err := d.metric(f.bytes); err != nil {
				return err
			}
		}
	}
	return d.input.skip(left)
}

// message of a family as a whole. Its fields may come in any order: the name and type
// are taken first, and then the metrics.
func (d *protoDecoder) message(message []byte) error {
	var name []byte
	typ, metrics := dto.MetricType_COUNTER, 0
	for f := (fields{rest: message}); f.next(); {
		switch {
		case f.is(familyName, protowire.BytesType):
			name = f.bytes
		case f.is(familyType, protowire.VarintType):
			typ = dto.MetricType(f.varint)
		case f.is(familyMetric, protowire.BytesType):
			metrics++
		case f.malformed:
			return errNotProto
		}
	}
	if metrics == 0 || !d.begin(name, typ) {
		return nil
	}
	for f := (fields{rest: message}); f.next(); {
		if f.is(familyMetric, protowire.BytesType) {
			if err := d.metric(f.bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin a family, unless it is not to be read.
func (d *protoDecoder) begin(name []byte, typ dto.MetricType) bool {
	d.family = d.wanted(name)
	if d.family == nil || !d.hasType(d.family, typeName(typ)) {
		return false
	}
	d.places = d.placesOf(d.family)
	return true
}

// typeName is the name that the text format has for a type.
func typeName(typ dto.MetricType) string {
	switch typ {
	case dto.MetricType_COUNTER:
		return "counter"
	case dto.MetricType_GAUGE:
		return "gauge"
	case dto.MetricType_SUMMARY:
		return "summary"
	case dto.MetricType_UNTYPED:
		return "untyped"
	case dto.MetricType_HISTOGRAM:
		return "histogram"
	default: // one that is not read, or not known
		return strings.ToLower(typ.String())
	}
}
