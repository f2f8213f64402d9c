// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// The naive model of the store: every value of every scrape, and readings that walk
// through all of them. It knows one target, whose processes follow each other.

type naiveStore struct {
	history   time.Duration
	processes []*naiveProcess
}

type naiveProcess struct {
	started time.Time
	times   []time.Time
	rows    []map[*identity]naiveValue // by scrape
	since   map[string]int             // scrape that had a family first
}

func (s *naiveStore) newest() *naiveProcess { return s.processes[len(s.processes)-1] }

// prune drops the processes that did not answer within the history.
func (s *naiveStore) prune(now time.Time) {
	s.processes = slices.DeleteFunc(s.processes, func(p *naiveProcess) bool {
		return p.times[len(p.times)-1].Before(now.Add(-s.history))
	})
}

func (p *naiveProcess) add(at time.Time, row map[*identity]naiveValue) {
	for id := range row {
		if _, met := p.since[id.family.name]; !met {
			p.since[id.family.name] = len(p.times)
		}
	}
	p.times, p.rows = append(p.times, at), append(p.rows, row)
}

// last scrape that is not after t, -1 for none.
func (p *naiveProcess) last(t time.Time) int {
	for i, at := range slices.Backward(p.times) {
		if !at.After(t) {
			return i
		}
	}
	return -1
}

// naiveSpan of a process in a window. from is -1 for the birth of the process, and
// kept the oldest scrape that is held.
type naiveSpan struct {
	*naiveProcess
	kept, from, to int
}

func (s *naiveStore) spans(at time.Time, window time.Duration) (spans []naiveSpan) {
	start := at.Add(-window)
	for _, p := range s.processes {
		kept := max(0, p.last(p.times[len(p.times)-1].Add(-s.history)))
		from, to := p.last(start), p.last(at)
		if to < kept {
			continue
		}
		if from < kept {
			from = kept
			if !p.started.Before(start) {
				from = birth
			}
		}
		spans = append(spans, naiveSpan{p, kept, from, to})
	}
	return spans
}

// metric of a signal that a span is read from. A family that another one has replaced
// later on is no longer held.
func (s naiveSpan) metric(signal sources.Signal) string {
	for _, metric := range signal.Metrics {
		if since, met := s.since[metric]; met {
			if since <= s.to {
				return metric
			}
			return "" // it is here now, and the others were let go
		}
	}
	return ""
}

// values of a series in a span.
func (s naiveSpan) values(id *identity) (values []naiveValue) {
	from := s.from
	if from == birth {
		values, from = append(values, naiveValue{}), s.kept
	}
	for _, row := range s.rows[from : s.to+1] {
		values = append(values, row[id])
	}
	return values
}

// read what a signal did, by the values of its one label. What did nothing is left
// out.
func (s *naiveStore) read(signal sources.Signal, ids []*identity, at time.Time, window, stale time.Duration) map[string]sources.Series {
	read, spans := map[string]sources.Series{}, s.spans(at, window)
	if len(spans) == 0 {
		return read
	}
	newest := spans[len(spans)-1]
	if at.Sub(newest.times[newest.to]) > stale {
		return read // is not observed
	}
	for _, span := range spans {
		for _, id := range ids {
			if id.family.name != span.metric(signal) || signal.Kind == sources.Gauge {
				continue
			}
			key, values := labelValue(id.labels(), signal.Labels[0]), span.values(id)
			to := read[key]
			if signal.Kind == sources.Counter {
				to.Increase += naiveCounterIncrease(values)
			} else if step := histogramIncrease(values); step != nil {
				to.Histogram = addBuckets(to.Histogram, step)
			}
			read[key] = to
		}
	}
	if signal.Kind == sources.Gauge {
		return naiveGauges(spans, signal, ids, at.Add(-window))
	}
	for key, series := range read {
		if series.Increase == 0 && (series.Histogram == nil || series.Histogram.Count() == 0) {
			delete(read, key)
		}
	}
	return read
}

// naiveCounterIncrease counts from zero after a value that is larger.
func naiveCounterIncrease(values []naiveValue) (total float64) {
	walkNaive(values, func(before, after naiveValue) {
		total += after.number
		if before.number <= after.number {
			total -= before.number
		}
	})
	return total
}

// naiveGauges are those of the newest answer, with their highest sum in any answer
// within the window, or in the newest one where none is; and with all sums of the
// newest process within it that are numbers, where the signal has samples.
func naiveGauges(spans []naiveSpan, signal sources.Signal, ids []*identity, start time.Time) map[string]sources.Series {
	newest, read := spans[len(spans)-1], map[string]sources.Series{}
	for key, sum := range newest.sums(newest.to, signal, ids) {
		read[key] = sources.Series{Last: sum, Max: math.NaN()}
	}
	for n, span := range spans {
		for scrape := span.kept; scrape <= span.to; scrape++ {
			if !span.times[scrape].After(start) && (n < len(spans)-1 || scrape < span.to) {
				continue
			}
			for key, sum := range span.sums(scrape, signal, ids) {
				series, there := read[key]
				if !there {
					continue
				}
				if sum > series.Max || math.IsNaN(series.Max) {
					series.Max = sum
				}
				if signal.Samples && n == len(spans)-1 && span.times[scrape].After(start) && !math.IsNaN(sum) {
					series.Samples = append(series.Samples, sources.Sample{Time: span.times[scrape], Value: sum})
				}
				read[key] = series
			}
		}
	}
	return read
}

// sums of the gauges of one answer.
func (s naiveSpan) sums(scrape int, signal sources.Signal, ids []*identity) map[string]float64 {
	sums := map[string]float64{}
	for _, id := range ids {
		if v := s.rows[scrape][id]; id.family.name == s.metric(signal) && v.state == known {
			sums[labelValue(id.labels(), signal.Labels[0])] += v.number
		}
	}
	return sums
}

// shownSeries are the series of a result, as the naive model has them.
func shownSeries(result sources.Result, kind sources.Kind) map[string]sources.Series {
	shown := map[string]sources.Series{}
	for _, s := range result.Series {
		if kind != sources.Gauge && s.Increase == 0 && (s.Histogram == nil || s.Histogram.Count() == 0) {
			continue
		}
		shown[strings.Join(s.Values, "")] = sources.Series{Histogram: s.Histogram, Increase: s.Increase, Last: s.Last, Max: s.Max, Samples: s.Samples}
	}
	return shown
}
