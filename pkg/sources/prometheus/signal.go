// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// row is one label set in the answer to a query.
type row struct {
	values   []string
	instance string
	value    float64
	buckets  []bucket
	samples  []sources.Sample
}

type bucket struct{ le, count float64 }

// table is the answer to a query, by the values of the labels.
type table map[string]*row

// of returns the row of a series. key is memory for the next one.
func (t table) of(one *series, signal sources.Signal, key []byte) (*row, []byte) {
	instance := ""
	if signal.PerInstance {
		instance = cmp.Or(one.label("node"), one.label("instance"))
		if signal.Component == sources.KubeAPIServer {
			instance = one.label("instance")
		}
	}
	key = append(append(key[:0], instance...), 0xff) // no byte of UTF-8
	for _, name := range signal.Labels {
		key = append(append(key, one.label(name)...), 0xff)
	}
	r := t[string(key)]
	if r == nil {
		// Copies, because what is kept would keep the whole answer.
		r = &row{instance: strings.Clone(instance), values: make([]string, len(signal.Labels))}
		for i, name := range signal.Labels {
			r.values[i] = strings.Clone(one.label(name))
		}
		t[string(key)] = r
	}
	return r, key
}

// read fills the table; with buckets, the label le tells the values of a row apart.
func (t table) read(ctx context.Context, q *session, signal sources.Signal, promql string, buckets bool) error {
	var key []byte
	return q.query(ctx, promql, func(one *series) error {
		var r *row
		r, key = t.of(one, signal, key)
		value := one.points[0].value
		r.value += value // of two queries that add up
		if buckets {
			le, err := strconv.ParseFloat(one.label("le"), 64)
			if err != nil {
				return fmt.Errorf("the bound le=%q is not a number", one.label("le"))
			}
			r.buckets = append(r.buckets, bucket{le: le, count: value})
		}
		return nil
	})
}

// readSum fills the table with sums of histograms. They are not read where only
// some buckets are: nobody asks for a mean then.
func (t table) readSum(ctx context.Context, q *session, e expressions, role sources.Role, promql string) error {
	if len(e.buckets) > 0 {
		return nil
	}
	return t.read(ctx, q, e.signal, e.asked.note(role, promql), false)
}

// readHighest fills the table with the highest values of a gauge, where somebody asks
// for them.
func (t table) readHighest(ctx context.Context, q *session, e expressions) error {
	if e.signal.NewestOnly {
		return nil
	}
	return t.read(ctx, q, e.signal, e.asked.note(sources.RoleHighest, e.highest()), false)
}

// readSignal reads one signal. A signal that could not be read has no metrics,
// and a warning that says why.
func (s *Source) readSignal(ctx context.Context, q *session, signal sources.Signal, p *plan, chosen *selection, window time.Duration) (sources.Result, error) {
	var result sources.Result
	if len(chosen.matchers) == 0 {
		return result, nil
	}
	if signal.Everywhere {
		result.Missing = p.missing(signal, chosen)
	}
	series := map[string]sources.Series{}
	again := &again{}
	for _, one := range p.parts(signal, chosen) {
		e := expressions{signal: signal, part: one, chosen: chosen, window: window, buckets: q.buckets(), labels: q.labels(signal), dialect: q.dialect, longer: s.config.longer, asked: &again.asked}
		bounds := p.bounds[one.series(signal)]
		if signal.PerInstance {
			bounds = p.old[one.series(signal)]
		}
		found, err := s.readCarrier(ctx, q, e, bounds)
		if err != nil {
			return sources.Result{}, fmt.Errorf("read %s: %w", one.metric, err)
		}
		if len(found) == 0 {
			continue
		}
		if !slices.Contains(result.Metrics, one.metric) {
			result.Metrics = append(result.Metrics, one.metric)
		}
		again.parts = append(again.parts, e)
		if one.native {
			result.Warnings = warn(result.Warnings, signal, sources.NativeHistogram, p.nativeMessage(signal, one.metric))
		}
		if one.recorded {
			result.Warnings = warn(result.Warnings, signal, sources.RecordedRate, one.metric+" of a recording rule stands in for "+signal.Metrics[0]+"_bucket: keep that in the store, since what was counted before the second sample of a series is not in rates")
		}
		if p.partial[one.series(signal)] && !one.native && !signal.PerInstance {
			result.Warnings = warn(result.Warnings, signal, sources.BucketsDiffer, fmt.Sprintf("the instances have %s with different buckets: those that not all of them have, and had at the start of the window, are left out", one.metric))
		}
		for key, next := range found {
			if one.native {
				key += "native" // beside the classic ones: their bounds say different things
			}
			if before, both := series[key]; both {
				next = add(before, next)
			}
			series[key] = next
		}
	}
	if len(result.Metrics) > 1 {
		result.Warnings = warn(result.Warnings, signal, sources.VersionsMixed, "some instances are read from "+strings.Join(result.Metrics, " and others from "))
	}
	result.Series = slices.SortedFunc(maps.Values(series), func(a, b sources.Series) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), slices.Compare(a.Values, b.Values), boolInt(isNative(a))-boolInt(isNative(b)))
	})
	if q.past == nil { // nobody asks for the evidence of each minute of the past
		result.Queries = again.asked.queries()
		result.Expressions = again.expressions()
	}
	return result, nil
}

func warn(warnings []sources.Warning, signal sources.Signal, reason sources.Reason, message string) []sources.Warning {
	return append(warnings, sources.Warning{Reason: reason, Component: signal.Component, Message: message})
}

// add sums what two versions expose under two names.
func add(a, b sources.Series) sources.Series {
	sum := sources.Series{Values: a.Values, Instance: a.Instance, Increase: a.Increase + b.Increase, Last: a.Last + b.Last, Max: a.Max + b.Max, Samples: addSamples(a.Samples, b.Samples)}
	if a.Histogram != nil && b.Histogram != nil {
		sum.Histogram = a.Histogram.Add(b.Histogram)
	}
	return sum
}

// readCarrier reads what one carrier has of a signal.
func (s *Source) readCarrier(ctx context.Context, q *session, e expressions, bounds []float64) (map[string]sources.Series, error) {
	if e.part.native {
		return s.readNative(ctx, q, e)
	}
	return s.readPart(ctx, q, e, bounds)
}

// readPart reads what one metric has of a signal that is no native histogram.
func (s *Source) readPart(ctx context.Context, q *session, e expressions, bounds []float64) (map[string]sources.Series, error) {
	signal := e.signal
	first, second, single := table{}, table{}, table{}
	var err error
	switch signal.Kind {
	case sources.Counter:
		err = first.read(ctx, q, signal, e.asked.note(sources.RoleIncrease, e.counter()), false)
	case sources.Gauge:
		err = both(
			func() error {
				return first.read(ctx, q, signal, e.asked.note(sources.RoleNewest, e.newest(nil)), false)
			},
			func() error {
				return both(
					func() error { return second.readHighest(ctx, q, e) },
					func() error { return single.readSamples(ctx, q, e) })
			})
	case sources.Histogram:
		if e.part.recorded {
			err = first.read(ctx, q, signal, e.asked.note(sources.RoleBuckets, e.recorded("le")), true)
			break
		}
		err = both(
			func() error {
				return first.read(ctx, q, signal, e.asked.note(sources.RoleBuckets, e.increase("_bucket", e.buckets, "le")), true)
			},
			func() error { return second.readSum(ctx, q, e, sources.RoleSum, e.increase("_sum", nil)) })
		if err == nil {
			err = readBorn(ctx, q, e, first, second)
		}
	}
	if err != nil {
		return nil, err
	}
	found := make(map[string]sources.Series, len(first))
	for key, r := range first {
		next := sources.Series{Values: r.values, Instance: r.instance}
		other := math.NaN()
		if r := second[key]; r != nil {
			other = r.value
		}
		switch signal.Kind {
		case sources.Counter:
			next.Increase = r.value
		case sources.Gauge:
			next.Last, next.Max = r.value, r.value
			if other > r.value || math.IsNaN(r.value) {
				next.Max = other // which may miss the newest sample: see highest
			}
			if r := single[key]; r != nil {
				next.Samples = finite(r.samples)
			}
		case sources.Histogram:
			if next.Histogram = histogram(r.buckets, bounds, other); next.Histogram == nil {
				return nil, fmt.Errorf(`a series of %s_bucket has no bucket le="+Inf"`, e.part.metric)
			}
		}
		found[key] = next
	}
	return found, nil
}

// both runs two queries side by side.
func both(a, b func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- a() }()
	err := b()
	return cmp.Or(<-failed, err)
}
