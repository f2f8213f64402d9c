// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"example.io/slo-apiserver/pkg/sources"
)

// maxLine is the longest line of the text format that is read, in bytes: label
// values are limited far below that.
const maxLine = 1 << 20

// decodeText reads an answer in the Prometheus text format, version 0.0.4
// (prometheus/docs, content/docs/instrumenting/exposition_formats.md).
//
// Families that nobody wants are jumped over, histograms that are spelled as they
// were last time are read as a block, and what remains line by line.
func decodeText(r io.Reader, s *scanner) error {
	if s.roles == nil {
		s.roles = s.plan.roles()
	}
	d := textDecoder{scanner: s, input: input{r: r, buffer: s.scratch.input}}
	defer func() { s.scratch.input = d.input.buffer }()
	for {
		err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", d.line, err)
		}
	}
	if err := d.endFamily(nil); err != nil {
		return fmt.Errorf("line %d: %w", d.line, err)
	}
	return nil
}

// textDecoder reads line by line and puts histograms together.
type textDecoder struct {
	*scanner
	input    input
	line     int
	foreign  map[*family]bool // families of another type than they are read as
	unwanted []byte           // name of the family that is jumped over
	family   *family          // of the line before
	places   *places          // of that family
	names    partNames        // of that family
	partial  histograms       // of that family
	within   bool             // a histogram that began line by line
}

// next reads a line or more. io.EOF says that there was none left.
func (d *textDecoder) next() error {
	if len(d.unwanted) > 0 {
		if err := d.jump(); err != nil {
			return err
		}
	}
	if d.family != nil && d.family.kind == sources.Histogram && !d.foreign[d.family] && !d.within {
		if found, err := d.block(); found || err != nil {
			return err
		}
	}
	line, err := d.readLine()
	if err != nil {
		return err
	}
	if d.family != nil && d.family.kind != sources.Histogram && !d.foreign[d.family] {
		if found, err := d.again(line); found || err != nil {
			return err
		}
	}
	line = bytes.TrimLeft(line, " \t")
	switch {
	case len(line) == 0:
		return nil
	case line[0] == '#':
		return d.comment(line)
	}
	return d.sample(line)
}

// again reads a line with the number of a series that is spelled as it was in the
// last answer.
func (d *textDecoder) again(line []byte) (found bool, err error) {
	labels, is := cutPrefix(line, d.family.name)
	if !is {
		return false, nil
	}
	pl := d.places.expected()
	if pl == nil || !pl.begins(labels) {
		pl = d.places.known(labels[:bytes.LastIndexByte(labels, '}')+1])
	}
	if pl == nil || len(labels) <= int(pl.length) || labels[pl.length] != ' ' {
		return false, nil
	}
	v, rest, is := cutNumber(d.withEnd(labels[pl.length+1:]))
	if !is || len(rest) > 0 {
		return false, nil
	}
	return true, d.number(d.family, d.places, pl, v)
}

// withEnd is the rest of a line with its end.
func (d *textDecoder) withEnd(rest []byte) []byte { return rest[:len(rest)+1] }

// sample reads a line that is neither empty nor a comment.
func (d *textDecoder) sample(line []byte) error {
	end := bytes.IndexAny(line, "{ \t")
	if end < 0 {
		return fmt.Errorf("no value after %.100q", line)
	}
	if !isName(line[:end]) {
		return fmt.Errorf("%.100q is not the name of a metric", line[:end])
	}
	role := d.roles[string(line[:end])]
	if d.passed[role.family] {
		role.family = nil
	}
	if role.family != d.family {
		if err := d.endFamily(role.family); err != nil {
			return err
		}
	}
	if role.family == nil || d.foreign[role.family] {
		return nil
	}
	labels, v, err := parseSample(line[end:])
	if err != nil {
		return fmt.Errorf("%s: %w", line[:end], err)
	}
	if role.part != number {
		d.within = role.part != countOfAll
		return d.partial.add(role.part, line[end:], labels, v)
	}
	raw := line[end : end+bytes.LastIndexByte(line[end:], '}')+1]
	pl, err := d.identify(role.family, d.places, labels, raw)
	if err != nil {
		return err
	}
	return d.number(role.family, d.places, pl, v)
}

// readLine returns the next line without its end, which follows it in memory. The
// bytes are valid until the next call.
func (d *textDecoder) readLine() ([]byte, error) {
	d.line++
	for searched := 0; ; {
		text := d.input.unread()
		if end := bytes.IndexByte(text[searched:], '\n'); end >= 0 {
			end += searched
			return text[:end], d.input.skip(end + 1)
		}
		if len(text) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes", maxLine)
		}
		searched = len(text)
		more, err := d.input.peek(len(text) + 1)
		switch {
		case err != nil:
			return nil, err
		case len(more) == 0:
			return nil, io.EOF
		case len(more) == searched:
			return nil, errTruncated
		}
	}
}

// comment takes the type of a family from a TYPE line, and whether it is wanted.
// Other comments say nothing that is needed.
func (d *textDecoder) comment(line []byte) error {
	keyword, rest := cutField(line[1:])
	name, rest := cutField(rest)
	typ, rest := cutField(rest)
	if more, _ := cutField(rest); string(keyword) != "TYPE" || len(typ) == 0 || len(more) > 0 {
		return nil
	}
	f := d.wanted(name)
	if f != nil {
		if foreign := !d.hasType(f, string(typ)); foreign != d.foreign[f] {
			set(&d.foreign, f, foreign)
		}
	}
	if f == nil || d.foreign[f] {
		d.unwanted = append(d.unwanted[:0], name...)
	}
	return d.endFamily(f)
}

// cutField takes what stands before the next blank.
func cutField(text []byte) (field, rest []byte) {
	text = bytes.TrimLeft(text, " \t\r")
	if end := bytes.IndexAny(text, " \t\r"); end >= 0 {
		return text[:end], text[end:]
	}
	return text, nil
}

// endFamily hands on the histograms of the family that ends where the next one
// begins: the lines of a family stand together.
func (d *textDecoder) endFamily(next *family) error {
	if d.family == next {
		return nil
	}
	d.trace = 0
	for _, h := range d.partial.inOrder {
		if !d.hasClassicBuckets(d.family, h.buckets) {
			continue
		}
		raw := h.spelling.raw
		if h.spelling.parts != 2 {
			raw = nil
		}
		if raw != nil {
			d.places.spelled = spelled{h.spelling.texts, d.places.boundsOf(h.buckets)}
		}
		pl, err := d.identify(d.family, d.places, h.labels, raw)
		if err != nil {
			return err
		}
		if err := d.histogram(d.family, d.places, pl, h.buckets, h.count, h.sum); err != nil {
			return err
		}
	}
	d.family, d.places, d.partial, d.within = next, nil, histograms{}, false
	if next != nil {
		d.places, d.names = d.placesOf(next), namesOf(next)
	}
	return nil
}
