// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"slices"
	"sort"
)

// series is the history of one label set in one process.
type series struct {
	id        *identity
	points    []point    // of a counter or gauge
	histogram *histogram // otherwise nil
	seen      int        // number of the newest scrape that had it
}

// point is the value of a series from one scrape on.
type point struct {
	scrape int
	value  value
}

// add what a scrape says of the series.
func (s *series) add(scrape int, now *sample) {
	if s.histogram != nil {
		s.histogram.add(scrape, now)
		return
	}
	v := value{now.state, now.number}
	if n := len(s.points); n > 0 {
		if last := s.points[n-1].value; last.state == v.state && sameNumber(last.number, v.number) {
			return
		}
	}
	s.points = append(s.points, point{scrape, v})
}

func sameNumber(a, b float64) bool {
	return a == b || (math.IsNaN(a) && math.IsNaN(b))
}

// gone says that no scrape that is kept has the series.
func (s *series) gone() bool {
	if s.histogram != nil {
		return s.histogram.empty()
	}
	return len(s.points) == 1 && s.points[0].value.state == absent
}

// prune drops points that were followed by another one by the scrape first.
func (s *series) prune(first int) {
	if s.histogram != nil {
		s.histogram.prune(first)
		return
	}
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
