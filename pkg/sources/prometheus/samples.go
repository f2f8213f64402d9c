// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"math"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// readSamples fills the table with the single values of a gauge in the window: those
// of the range selector itself, which no function has touched. A range selector can
// not be joined with another one by "or", so that each scrape job is asked by itself.
// Nothing is asked where the signal does not keep samples.
//
// The series of an instance are scraped together and have the same times, by which
// they are summed. Prometheus ends a series with a marker that no answer shows;
// where one is shown, it is a NaN, and at worst costs a sum its sample.
func (t table) readSamples(ctx context.Context, q *session, e expressions) error {
	if !e.signal.Samples {
		return nil
	}
	started := make(map[string]time.Time, len(e.chosen.instances))
	for _, instance := range e.chosen.instances {
		started[instance.Name] = instance.Started
	}
	var key []byte
	for _, matchers := range e.part.matchers {
		promql := selector(e.part.metric, matchers, signalMatchers(e.signal))
		e.asked.note(sources.RoleSamples, promql+"["+duration(wholeMilliseconds(e.window))+"]")
		err := q.samples(ctx, promql, wholeMilliseconds(e.window), func(one *series) error {
			var r *row
			r, key = t.of(one, e.signal, key)
			r.samples = addSamples(r.samples, samplesOf(one, q.at.Add(-e.window), started[r.instance]))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wholeMilliseconds that are not less than d, since a PromQL duration has no smaller
// unit. What that is too much, samplesOf leaves out.
func wholeMilliseconds(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

// samplesOf a series after start, which itself is within the range selectors of
// Prometheus 2 and not of 3, and not before started, the start of the newest process
// by its own clock (https://prometheus.io/docs/prometheus/latest/migration/#range-selectors-and-lookback-exclude-samples-coinciding-with-the-left-boundary).
func samplesOf(one *series, start, started time.Time) []sources.Sample {
	samples := make([]sources.Sample, 0, len(one.points))
	for _, p := range one.points {
		if at := timeOf(p.at); at.After(start) && !at.Before(started) {
			samples = append(samples, sources.Sample{Time: at, Value: p.value})
		}
	}
	return samples
}

// addSamples merges two lists by time, and sums what is of one time. It may change a.
func addSamples(a, b []sources.Sample) []sources.Sample {
	if len(a) == 0 {
		return b
	}
	byTime := func(x, y sources.Sample) int { return x.Time.Compare(y.Time) }
	var fresh []sources.Sample
	for _, sample := range b {
		if i, found := slices.BinarySearchFunc(a, sample, byTime); found {
			a[i].Value += sample.Value
		} else {
			fresh = append(fresh, sample)
		}
	}
	if len(fresh) > 0 {
		a = append(a, fresh...)
		slices.SortFunc(a, byTime)
	}
	return a
}

// finite are the samples that are numbers. Sums are taken before: one with something
// else in it is no number.
func finite(samples []sources.Sample) []sources.Sample {
	return slices.DeleteFunc(samples, func(s sources.Sample) bool {
		return math.IsNaN(s.Value) || math.IsInf(s.Value, 0)
	})
}
