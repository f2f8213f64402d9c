// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// past answers the queries of many instants, which come in order of time. What is
// asked at one of them is mostly asked at all: the first time a text comes, it is
// sent as a range query for this instant and those that follow. A range query
// evaluates the expression at each instant by itself, so that the answer is that of
// an instant query. It is not safe for concurrent use.
type past struct {
	last time.Time
	step time.Duration
	// buckets are matchers of those to read of histograms.
	buckets []string
	// labels to keep, by signal: see sources.History.
	labels map[string][]string
	// kept are the answers to range queries, by text, and the samples of selectors.
	kept map[string][]history
	// ranges that were sent, of so many at most.
	ranges, most int
}

// mostRanges that are sent for each signal of a history. Texts name the instances that restarted
// or were not observed: where these change all the time, range queries would be
// sent in vain, and each instant asks for itself, as a Read does.
const mostRanges = 40

// query answers as of the time of the session.
func (p *past) query(ctx context.Context, q *session, promql string, each func(*series) error) error {
	kept, known := p.kept[promql]
	if !known {
		if p.ranges >= p.most {
			return q.instant(ctx, q.at, promql, each)
		}
		p.ranges++
		var err error
		kept, err = collect(func(each func(*series) error) error {
			return q.ask(ctx, "/api/v1/query_range", url.Values{
				"query": {promql},
				"start": {timestamp(q.at)},
				"end":   {timestamp(p.last)},
				"step":  {strconv.FormatFloat(p.step.Seconds(), 'f', -1, 64)},
			}, each)
		})
		if err != nil {
			return err
		}
		p.kept[promql] = kept
	}
	return between(kept, q.at, q.at, each)
}

// samples of a selector, which are asked for once for all instants.
func (p *past) samples(ctx context.Context, q *session, selector string, long time.Duration, each func(*series) error) error {
	key := selector + "[]" // apart from the values that query has of the same selector
	kept, known := p.kept[key]
	if !known {
		all := duration(p.last.Sub(q.at) + long)
		var err error
		kept, err = collect(func(each func(*series) error) error {
			return q.instant(ctx, p.last, selector+"["+all+"]", each)
		})
		if err != nil {
			return err
		}
		p.kept[key] = kept
	}
	return between(kept, q.at.Add(-long), q.at, each)
}

// collect keeps the series of an answer.
func collect(ask func(each func(*series) error) error) ([]history, error) {
	var all []history
	texts := map[string]string{} // few: a name or value is there once
	text := func(s string) string {
		if _, known := texts[s]; !known {
			s = strings.Clone(s) // or it would keep the whole answer
			texts[s] = s
		}
		return texts[s]
	}
	err := ask(func(one *series) error {
		h := history{labels: make([]label, len(one.labels)), points: slices.Clone(one.points), natives: slices.Clone(one.natives)}
		for i, l := range one.labels {
			h.labels[i] = label{name: text(l.name), value: text(l.value)}
		}
		all = append(all, h)
		return nil
	})
	return all, err
}

// between calls each with the series that have points or native histograms in that
// time, both ends included as in the ranges of Prometheus 2.
func between(all []history, from, to time.Time, each func(*series) error) error {
	var one series
	for _, h := range all {
		points := within(h.points, from, to, func(p point) float64 { return p.at })
		natives := within(h.natives, from, to, func(n native) float64 { return n.at })
		if len(points) == 0 && len(natives) == 0 {
			continue
		}
		// Copies, as each series of an answer is valid until the next one only.
		one.labels, one.points, one.natives = append(one.labels[:0], h.labels...), append(one.points[:0], points...), append(one.natives[:0], natives...)
		if err := each(&one); err != nil {
			return err
		}
	}
	return nil
}

// within that time.
func within[T any](all []T, from, to time.Time, at func(T) float64) []T {
	const halfMillisecond = 0.0005
	after := func(t float64) int {
		return sort.Search(len(all), func(i int) bool { return at(all[i]) > t })
	}
	return all[after(seconds(from)-halfMillisecond):after(seconds(to)+halfMillisecond)]
}

// ever calls each with the series that the answer to a query has at instants to come.
// Where only one instant is read there is nothing to call it with.
func (s *session) ever(promql string, each func(*series)) {
	if s.past == nil {
		return
	}
	for _, h := range s.past.kept[promql] {
		each(&series{labels: h.labels, points: h.points, natives: h.natives})
	}
}

// buckets are matchers of those to read of histograms; none: all are read.
func (s *session) buckets() []string {
	if s.past == nil {
		return nil
	}
	return s.past.buckets
}

// labels of a signal to keep; nil: all are.
func (s *session) labels(signal sources.Signal) []string {
	if s.past == nil {
		return nil
	}
	return s.past.labels[signal.Name]
}
