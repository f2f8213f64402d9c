// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package equality

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/test/perf/internal/gen"
)

const (
	sli        = "apiserver_request_sli_duration_seconds"
	dispatched = "apiserver_flowcontrol_dispatched_requests_total"
	keyLabels  = "group,resource,subresource,verb,scope"
)

// quantiles that the reports show.
var quantiles = []float64{0.5, 0.9, 0.99}

// Differences are the largest ones that were found.
type Differences struct {
	// Counts of requests in any bucket, relative.
	Counts float64
	// Quantiles, relative.
	Quantiles float64
	// Fractions of requests within a threshold, absolute.
	Fractions float64
}

func (d *Differences) add(other Differences) {
	d.Counts = math.Max(d.Counts, other.Counts)
	d.Quantiles = math.Max(d.Quantiles, other.Quantiles)
	d.Fractions = math.Max(d.Fractions, other.Fractions)
}

// Result of a comparison.
type Result struct {
	// Windows and Figures that were compared: histograms of one key in one window.
	Windows, Figures int
	// Engine is ours against increase(x[w] anchored) on series whose times of
	// creation are known: what a PromQL engine counts between two samples.
	Engine Differences
	// Truth is ours against what happened between the samples.
	Truth Differences
	// Plain is increase(x[w]) against what happened: what dashboards show. Only
	// where there were requests in truth and in the figure; Lost are the keys where
	// there were some in truth alone.
	Plain Differences
	Lost  int
}

// Add another result.
func (r *Result) Add(other Result) {
	r.Windows += other.Windows
	r.Figures += other.Figures
	r.Lost += other.Lost
	r.Engine.add(other.Engine)
	r.Truth.add(other.Truth)
	r.Plain.add(other.Plain)
}

// Compare plays a scenario and compares windows on and between samples.
func Compare(ctx context.Context, s Scenario) (Result, error) {
	h, err := play(ctx, s)
	if err != nil {
		return Result{}, err
	}
	defer h.storage.Close()
	var result Result
	kinds := []struct {
		after  time.Duration // the sample
		window time.Duration
	}{{0, 5 * time.Minute}, {0, 2 * time.Minute}, {7 * time.Second, 5 * time.Minute}, {3 * time.Second, 100 * time.Second}}
	for i := 0; 22+3*i < s.Scrapes; i++ {
		n := 22 + 3*i
		for k := range 2 {
			w := kinds[(i+k)%len(kinds)]
			one, err := h.compare(ctx, h.at(n).Add(w.after), w.window)
			if err != nil {
				return result, fmt.Errorf("scenario %s, %s up to scrape %d and %s: %w", s.Name, w.window, n, w.after, err)
			}
			result.Add(one)
		}
	}
	return result, nil
}

// compare one window. Samples after at are known to both sides and have to be left
// alone.
func (h *history) compare(ctx context.Context, at time.Time, window time.Duration) (Result, error) {
	reading, err := h.subject.Read(ctx, at, window)
	if err != nil {
		return Result{}, err
	}
	ours := histogramsOf(reading)
	anchored, err := h.engine(ctx, fmt.Sprintf("[%dms] anchored", window.Milliseconds()), at)
	if err != nil {
		return Result{}, err
	}
	plain, err := h.engine(ctx, fmt.Sprintf("[%dms]", window.Milliseconds()), at)
	if err != nil {
		return Result{}, err
	}
	truth, err := h.truth(reading)
	if err != nil {
		return Result{}, err
	}
	result := Result{Windows: 1, Figures: len(truth)}
	for key := range union(ours, anchored, truth) {
		result.Engine.add(difference(ours[key], anchored[key]))
		result.Truth.add(difference(ours[key], truth[key]))
		switch got, want := plain[key], truth[key]; {
		case want.count() == 0:
		case !(got.count() > 0):
			result.Lost++
		default:
			result.Plain.add(difference(got, want))
		}
	}
	if len(truth) == 0 {
		return result, fmt.Errorf("nothing happened")
	}
	flows, err := h.flows(ctx, reading, at, window)
	result.Engine.Counts = math.Max(result.Engine.Counts, flows)
	return result, err
}

// figure is the histogram of one key, with what is shown of it.
type figure struct {
	buckets   []float64 // cumulative, the last is +Inf
	quantiles []float64
	fractions []float64 // within 1 s and 30 s
}

func (f figure) count() float64 {
	if len(f.buckets) == 0 {
		return 0
	}
	return f.buckets[len(f.buckets)-1]
}

// difference between two figures. No histogram is one without requests.
func difference(got, want figure) Differences {
	if got.count() == 0 && want.count() == 0 {
		return Differences{}
	}
	if len(got.buckets) != len(want.buckets) {
		return Differences{math.Inf(1), math.Inf(1), math.Inf(1)}
	}
	var d Differences
	for i := range want.buckets {
		d.Counts = math.Max(d.Counts, relative(got.buckets[i], want.buckets[i]))
	}
	for i := range want.quantiles {
		d.Quantiles = math.Max(d.Quantiles, relative(got.quantiles[i], want.quantiles[i]))
	}
	for i := range want.fractions {
		d.Fractions = math.Max(d.Fractions, math.Abs(got.fractions[i]-want.fractions[i]))
	}
	return d
}

// relative difference of two numbers; infinite when one is none.
func relative(got, want float64) float64 {
	switch {
	case got == want || (math.IsNaN(got) && math.IsNaN(want)):
		return 0
	case math.IsNaN(got) || math.IsNaN(want):
		return math.Inf(1)
	}
	return math.Abs(got-want) / math.Max(math.Abs(got), math.Abs(want))
}

// histogramsOf the reading, as the reports show them.
func histogramsOf(reading *sources.Reading) map[gen.Key]figure {
	figures := map[gen.Key]figure{}
	for _, s := range reading.Results[slo.SignalRequestLatency].Series {
		v := s.Values // group, resource, subresource, verb, scope
		figures[gen.Key{Group: v[0], Resource: v[1], Subresource: v[2], Verb: v[3], Scope: v[4]}] = figureOf(s.Histogram)
	}
	return figures
}

func figureOf(b *sources.Buckets) figure {
	f := figure{buckets: b.Counts}
	for _, q := range quantiles {
		f.quantiles = append(f.quantiles, b.Quantile(q))
	}
	for _, threshold := range []float64{1, 30} {
		good, _ := b.AtMost(threshold)
		f.fractions = append(f.fractions, good/b.Count())
	}
	return f
}

func keyOf(l labels.Labels) gen.Key {
	return gen.Key{
		Group: l.Get("group"), Resource: l.Get("resource"), Subresource: l.Get("subresource"),
		Verb: l.Get("verb"), Scope: l.Get("scope"),
	}
}

func union(maps ...map[gen.Key]figure) map[gen.Key]bool {
	keys := map[gen.Key]bool{}
	for _, m := range maps {
		for key := range m {
			keys[key] = true
		}
	}
	return keys
}

// bucketOf a sample by its label le.
func bucketOf(sample promql.Sample) (float64, error) {
	return strconv.ParseFloat(sample.Metric.Get("le"), 64)
}
