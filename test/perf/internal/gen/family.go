// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gen makes up the metrics of a kube-apiserver: the families, labels and
// buckets of the real one, in its proportions, with traffic that follows from a
// seed. The same seed and the same calls always give the same bytes.
package gen

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind of a family, as in the exposition formats.
type Kind int

// The kinds that a kube-apiserver exposes.
const (
	Counter Kind = iota
	Gauge
	Histogram
	Summary
)

func (k Kind) String() string {
	return [...]string{"counter", "gauge", "histogram", "summary"}[k]
}

// Family is one metric with its series.
type Family struct {
	Name, Help string
	Kind       Kind
	// Bounds are the finite upper bounds of a histogram, or the quantiles of a
	// summary; ascending.
	Bounds []float64
	// Series sorted by their label values, as client_golang exposes them.
	Series []*Series

	boundTexts []string
	names      []string // of labels
}

// Series is one label set of a family.
type Series struct {
	// Values of the labels of the family, which are sorted by name.
	Values []string
	// Value of a counter or gauge.
	Value float64
	// Counts of a histogram by bucket, not cumulative; the last is +Inf.
	Counts []uint64
	// Sum of what was observed.
	Sum float64
	// Quantiles of a summary.
	Quantiles []float64
	// Created is when the series came to be.
	Created time.Time

	labelText  string // a="b",c="d"
	labelProto []byte // repeated LabelPair
}

func newFamily(name, help string, kind Kind, bounds []float64, labels ...string) *Family {
	f := &Family{Name: name, Help: help, Kind: kind, Bounds: bounds, names: labels}
	if !slices.IsSorted(labels) {
		panic("labels of " + name + " are not sorted")
	}
	for _, bound := range bounds {
		f.boundTexts = append(f.boundTexts, strconv.FormatFloat(bound, 'g', -1, 64))
	}
	return f
}

// Labels are the names of the labels, sorted.
func (f *Family) Labels() []string { return f.names }

// add a series with these label values.
func (f *Family) add(created time.Time, values ...string) *Series {
	if len(values) != len(f.names) {
		panic("labels of " + f.Name + ": " + strings.Join(values, ","))
	}
	s := &Series{Values: values, Created: created, labelText: labelText(f.names, values), labelProto: labelProto(f.names, values)}
	switch f.Kind {
	case Histogram:
		s.Counts = make([]uint64, len(f.Bounds)+1)
	case Summary:
		s.Quantiles = make([]float64, len(f.Bounds))
		s.Counts = make([]uint64, 1)
	case Counter, Gauge: // one value
	}
	at, _ := slices.BinarySearchFunc(f.Series, values, func(s *Series, values []string) int { return slices.Compare(s.Values, values) })
	f.Series = slices.Insert(f.Series, at, s)
	return s
}

// observe n equal values.
func (f *Family) observe(s *Series, value float64, n uint64) {
	at, _ := slices.BinarySearch(f.Bounds, value) // bounds are inclusive
	s.Counts[at] += n
	s.Sum += value * float64(n)
}

// count of all observations.
func (s *Series) count() uint64 {
	var sum uint64
	for _, n := range s.Counts {
		sum += n
	}
	return sum
}

// samples that the series is in the text format.
func (f *Family) samples() int {
	switch f.Kind {
	case Histogram:
		return len(f.Series) * (len(f.Bounds) + 3)
	case Summary:
		return len(f.Series) * (len(f.Bounds) + 2)
	case Counter, Gauge:
	}
	return len(f.Series)
}
