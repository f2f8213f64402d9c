// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// label of a series.
type label struct{ name, value string }

func byName(x, y label) int { return strings.Compare(x.name, y.name) }

// labelValue of a label; "" when it is absent.
func labelValue(labels []label, name string) string {
	for _, l := range labels {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

func formatLabels(labels []label) string {
	pairs := make([]string, len(labels))
	for i, l := range labels {
		pairs[i] = fmt.Sprintf("%s=%q", l.name, l.value)
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// sample is one series in one answer: a number, or a histogram with cumulative
// counts since the process started.
type sample struct {
	place  *place  // where it stood
	number float64 // of a histogram: the sum, NaN when the answer does not have it
	bounds []float64
	counts []float64
	// trace of the bytes that a histogram was read from; 0 when none was taken.
	trace uint64
	state state
	// unchanged: a histogram that is what place.held has as its newest value. There are
	// no number, bounds and counts.
	unchanged bool
}

// spellOut a histogram that is unchanged.
func (s *sample) spellOut() {
	if s.unchanged {
		last := s.place.held.histogram.chapter
		s.number, s.bounds, s.counts, s.unchanged = last.sum(), last.bounds, last.counts(nil), false
	}
}

// value of a counter or gauge in one scrape.
type value struct {
	state  state
	number float64
}

// state of a value.
type state int8

const (
	// absent: the answer did not have the series.
	absent state = iota
	// unknown: the answer had the series with a value that can not be a count,
	// such as NaN. Unlike an absent one, it does not go on from zero.
	unknown
	known
)

// exposition is what is kept of one answer.
type exposition struct {
	// process that gave the last answer that was stored: it holds the series that
	// the places hold on to. The store keeps both up to date.
	process *process
	// started is when the process started; zero when it does not say.
	started time.Time
	samples []sample
	// families of the plan that the answer has, even with no series to keep.
	families map[string]bool
	// warnings by family, in plain English.
	warnings map[string][]string
}

func (e *exposition) has(metric string) bool { return e.families[metric] }

// unixTime of a start time in seconds; zero for what can not be one.
func unixTime(seconds float64) time.Time {
	if !(seconds > 0 && seconds < math.MaxInt32*1000.0) {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
}

// bucket of a histogram as exposed.
type bucket struct{ bound, count float64 }

// malformed says why sorted buckets are no histogram; "" when they are one.
func malformed(buckets []bucket) string {
	for i, b := range buckets {
		switch {
		case math.IsNaN(b.bound) || math.IsInf(b.bound, -1):
			return "with a bucket bound that is no number"
		case i > 0 && b.bound == buckets[i-1].bound:
			return "with two buckets of one bound"
		case math.IsNaN(b.count) && math.IsInf(b.bound, 1):
			return "without the bucket +Inf and without a count"
		case !(b.count >= 0) || math.IsInf(b.count, 1):
			return "with a negative or infinite count"
		case i > 0 && b.count < buckets[i-1].count:
			return "with counts that fall from one bucket to the next"
		}
	}
	return ""
}

// boundsOf buckets, one copy for all histograms that follow each other with the
// same ones.
func (p *places) boundsOf(buckets []bucket) []float64 {
	if len(p.bounds) == len(buckets) {
		same := true
		for i := range buckets {
			same = same && p.bounds[i] == buckets[i].bound
		}
		if same {
			return p.bounds
		}
	}
	p.bounds = bounds(buckets)
	return p.bounds
}

func bounds(buckets []bucket) []float64 {
	bounds := make([]float64, len(buckets))
	for i := range buckets {
		bounds[i] = buckets[i].bound
	}
	return bounds
}
