// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// histograms of one family, whose parts come line by line, in any order.
type histograms struct {
	byLabels map[string]*partialHistogram
	inOrder  []*partialHistogram
	last     *partialHistogram
}

type partialHistogram struct {
	labels     []label
	buckets    []bucket
	count, sum float64
	spelling   spelling
}

// spelling of a histogram. One that is plain has ascending buckets with le as their
// last label, then the sum, then the count, all with the same labels before that:
// it can be recognized as a block next time.
type spelling struct {
	raw   []byte   // the labels up to le; nil when it is not plain
	texts []string // from le to the number
	parts int      // that were seen beside the buckets
}

// line of a histogram; labels is their text, and bound the value of le.
func (s *spelling) line(part part, labels []byte, bound string) {
	switch {
	case part == bucketCount && s.parts == 0:
		raw, plain := bytes.CutSuffix(labels, []byte(`le="`+bound+`"}`))
		if plain && s.texts == nil {
			s.raw = append([]byte{}, raw...)
		}
		if !plain || !bytes.Equal(raw, s.raw) {
			s.raw = nil
		}
		s.texts = append(s.texts, `le="`+bound+`"} `)
		return
	case part == sumOfAll && s.parts == 0, part == countOfAll && s.parts == 1:
		s.parts++
		if s.raw != nil && isClosed(labels, s.raw) {
			return
		}
	}
	s.raw, s.parts = nil, -1
}

// isClosed says that labels are those of raw, which has a comma or only the opening
// brace at its end, without le.
func isClosed[A, B []byte | string](labels A, raw B) bool {
	if len(raw) == 1 {
		return len(labels) == 0
	}
	n := len(raw) - 1
	return len(labels) == len(raw) && string(labels[:n]) == string(raw[:n]) && labels[n] == '}' && raw[n] == ','
}

func (h *histograms) add(part part, text []byte, labels []label, v float64) error {
	var le string
	bound := math.NaN()
	if part == bucketCount {
		var err error
		if labels, le, bound, err = takeBound(labels); err != nil {
			return err
		}
	}
	slices.SortFunc(labels, byName)
	p := h.of(labels)
	p.spelling.line(part, text[:bytes.LastIndexByte(text, '}')+1], le)
	switch part {
	case bucketCount:
		if n := len(p.buckets); n > 0 && !(bound > p.buckets[n-1].bound) {
			p.spelling.raw = nil
		}
		p.buckets = append(p.buckets, bucket{bound, v})
	case sumOfAll:
		p.sum = v
	case countOfAll:
		p.count = v
	case number: // no line of a histogram
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
func takeBound(labels []label) ([]label, string, float64, error) {
	for i, l := range labels {
		if l.name != "le" {
			continue
		}
		bound, err := strconv.ParseFloat(l.value, 64)
		if err != nil {
			return nil, "", 0, fmt.Errorf("label le=%.100q is not a number", l.value)
		}
		return slices.Delete(labels, i, i+1), l.value, bound, nil
	}
	return nil, "", 0, errors.New("a bucket has no label le")
}
