// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"slices"
	"sort"

	"example.io/slo-apiserver/pkg/sources"
)

// series is the history of one label set.
type series struct {
	id     *identity
	points []point
	seen   int // number of the newest scrape that had it
	place  int // index in process.order, when that has it
}

// point is the value of a series from one scrape on.
type point struct {
	scrape int
	value  value
}

// add what a scrape says of the series.
func (s *series) add(scrape int, now sample) {
	v := value{state: now.state, number: now.number}
	if now.counts != nil {
		if n := len(s.points); n > 0 && s.points[n-1].value.is(now) {
			return
		}
		v.number, v.histogram = 0, &sources.Buckets{Bounds: now.bounds, Counts: slices.Clone(now.counts), Sum: now.number}
	}
	s.append(scrape, v)
}

// is says that a sample of a histogram has the value v.
func (v value) is(now sample) bool {
	return v.histogram != nil && sameNumber(v.histogram.Sum, now.number) &&
		slices.Equal(v.histogram.Counts, now.counts) && slices.Equal(v.histogram.Bounds, now.bounds)
}

// append a value if it is another than the last one.
func (s *series) append(scrape int, v value) {
	if len(s.points) > 0 {
		last := s.points[len(s.points)-1].value
		if last.equal(v) {
			return
		}
		if last.histogram != nil && v.histogram != nil && slices.Equal(last.histogram.Bounds, v.histogram.Bounds) {
			v.histogram.Bounds = last.histogram.Bounds // one copy for all scrapes
		}
	}
	s.points = append(s.points, point{scrape, v})
}

func (v value) equal(other value) bool {
	if v.state != other.state || !sameNumber(v.number, other.number) {
		return false
	}
	if v.histogram == nil || other.histogram == nil {
		return v.histogram == other.histogram
	}
	return sameNumber(v.histogram.Sum, other.histogram.Sum) &&
		slices.Equal(v.histogram.Counts, other.histogram.Counts) &&
		slices.Equal(v.histogram.Bounds, other.histogram.Bounds)
}

func sameNumber(a, b float64) bool {
	return a == b || (math.IsNaN(a) && math.IsNaN(b))
}

// gone says that no scrape that is kept has the series.
func (s *series) gone() bool {
	return len(s.points) == 1 && s.points[0].value.state == absent
}

// prune drops points that were followed by another one by the scrape first.
func (s *series) prune(first int) {
	n := 0
	for n+1 < len(s.points) && s.points[n+1].scrape <= first {
		n++
	}
	s.points = slices.Delete(s.points, 0, n)
}

// value at a scrape.
func (s *series) value(scrape int) value {
	if i := s.lastPoint(scrape); i >= 0 {
		return s.points[i].value
	}
	return value{state: absent}
}

// lastPoint is the index of the point that holds at a scrape; -1 before the
// first one.
func (s *series) lastPoint(scrape int) int {
	return sort.Search(len(s.points), func(i int) bool { return s.points[i].scrape > scrape }) - 1
}

// during returns the values that a span is read from: that at its start, and
// each other one up to its end.
func (s *series) during(of span) []value {
	first := -1 // nothing there at birth
	if of.from != birth {
		first = s.lastPoint(of.process.offset + of.from)
	}
	values := make([]value, 1, len(s.points)+1)
	if first >= 0 {
		values[0] = s.points[first].value
	}
	last := s.lastPoint(of.process.offset + of.to)
	for i := first + 1; i <= last; i++ {
		values = append(values, s.points[i].value)
	}
	return values
}
