// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"example.io/slo-apiserver/pkg/sources"
)

// maxLine is the longest line of the text format that is read, in bytes: label
// values are limited far below that.
const maxLine = 1 << 20

// decodeText reads an answer in the Prometheus text format, version 0.0.4
// (prometheus/docs, content/docs/instrumenting/exposition_formats.md).
func decodeText(r io.Reader, s *scanner) error {
	d := textDecoder{
		scanner: s,
		r:       bufio.NewReaderSize(r, 64<<10),
		roles:   s.plan.roles(),
		foreign: map[*family]bool{},
	}
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
	r       *bufio.Reader
	line    int
	long    []byte // a line that did not fit into the buffer of r
	roles   map[string]role
	foreign map[*family]bool // families of another type than they are read as
	family  *family          // of the line before
	partial histograms       // of that family
}

// role of a sample name within its family.
type role struct {
	family *family
	part   part
}

type part int

const (
	number part = iota
	bucketCount
	sumOfAll
	countOfAll
)

// roles by sample name, as the text format spells the parts of a family.
func (p plan) roles() map[string]role {
	roles := map[string]role{}
	for _, f := range p {
		if f.kind != sources.Histogram {
			roles[f.name] = role{f, number}
			continue
		}
		roles[f.name+"_bucket"] = role{f, bucketCount}
		roles[f.name+"_sum"] = role{f, sumOfAll}
		roles[f.name+"_count"] = role{f, countOfAll}
	}
	return roles
}

// next reads a line. io.EOF says that there was none left.
func (d *textDecoder) next() error {
	line, err := d.readLine()
	if err != nil {
		return err
	}
	line = bytes.TrimLeft(line, " \t")
	switch {
	case len(line) == 0:
		return nil
	case line[0] == '#':
		d.comment(line)
		return nil
	}
	end := bytes.IndexAny(line, "{ \t")
	if end < 0 {
		return fmt.Errorf("no value after %.100q", line)
	}
	if !isName(line[:end]) {
		return fmt.Errorf("%.100q is not the name of a metric", line[:end])
	}
	role := d.roles[string(line[:end])]
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
	if role.part == number {
		return d.numberOf(role.family, line[end:], labels, v)
	}
	return d.partial.add(role.part, labels, v)
}

func (d *textDecoder) numberOf(f *family, raw []byte, labels []label, v float64) error {
	p := d.placesOf(f)
	pl, err := d.identify(f, p, labels, nil)
	if err != nil {
		return err
	}
	return d.number(f, p, pl, v)
}

// readLine returns the next line without its end. The bytes are valid until the
// next call.
func (d *textDecoder) readLine() ([]byte, error) {
	d.line++
	line, err := d.r.ReadSlice('\n')
	d.long = d.long[:0]
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(d.long)+len(line) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes", maxLine)
		}
		d.long = append(d.long, line...)
		line, err = d.r.ReadSlice('\n')
	}
	if len(d.long) > 0 {
		d.long = append(d.long, line...)
		line = d.long
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		return nil, errTruncated
	}
	if err != nil {
		return nil, err
	}
	return line[:len(line)-1], nil
}

// comment takes the type of a wanted family from a TYPE line. Other comments say
// nothing that is needed.
func (d *textDecoder) comment(line []byte) {
	fields := bytes.Fields(line[1:])
	if len(fields) != 3 || string(fields[0]) != "TYPE" {
		return
	}
	name := string(fields[1])
	for _, key := range []string{name, name + "_bucket"} {
		if role, wanted := d.roles[key]; wanted && role.family.name == name {
			d.foreign[role.family] = !d.hasType(role.family, string(fields[2]))
		}
	}
}

// endFamily hands on the histograms of the family that ends where the next one
// begins: the lines of a family stand together.
func (d *textDecoder) endFamily(next *family) error {
	for _, h := range d.partial.inOrder {
		if !d.hasClassicBuckets(d.family, h.buckets) {
			continue
		}
		p := d.placesOf(d.family)
		pl, err := d.identify(d.family, p, h.labels, nil)
		if err != nil {
			return err
		}
		if err := d.histogram(d.family, p, pl, h.buckets, h.count, h.sum); err != nil {
			return err
		}
	}
	d.family, d.partial = next, histograms{}
	return nil
}

// histograms of one family, whose parts come line by line.
type histograms struct {
	byLabels map[string]*partialHistogram
	inOrder  []*partialHistogram
	last     *partialHistogram
}

type partialHistogram struct {
	labels     []label
	buckets    []bucket
	count, sum float64
}

func (h *histograms) add(part part, labels []label, v float64) error {
	bound := math.NaN()
	if part == bucketCount {
		var err error
		if labels, bound, err = takeBound(labels); err != nil {
			return err
		}
	}
	slices.SortFunc(labels, byName)
	p := h.of(labels)
	switch part {
	case bucketCount:
		p.buckets = append(p.buckets, bucket{bound, v})
	case sumOfAll:
		p.sum = v
	case countOfAll:
		p.count = v
	}
	return nil
}

// of returns the histogram with these labels: mostly that of the line before.
func (h *histograms) of(labels []label) *partialHistogram {
	if h.last != nil && slices.Equal(h.last.labels, labels) {
		return h.last
	}
	key := formatLabels(labels)
	p := h.byLabels[key]
	if p == nil {
		p = &partialHistogram{labels: labels, count: math.NaN(), sum: math.NaN()}
		if h.byLabels == nil {
			h.byLabels = map[string]*partialHistogram{}
		}
		h.byLabels[key] = p
		h.inOrder = append(h.inOrder, p)
	}
	h.last = p
	return p
}

// takeBound takes the label le out of labels. It is parsed as a number: "1" and
// "1.0" are one bound.
func takeBound(labels []label) ([]label, float64, error) {
	for i, l := range labels {
		if l.name != "le" {
			continue
		}
		bound, err := strconv.ParseFloat(l.value, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("label le=%.100q is not a number", l.value)
		}
		return slices.Delete(labels, i, i+1), bound, nil
	}
	return nil, 0, errors.New("a bucket has no label le")
}
