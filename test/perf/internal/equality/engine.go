// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package equality

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/test/perf/internal/gen"
)

// engine returns the figures that PromQL gives for a range such as [5m]: the
// engine interpolates the quantiles and divides the fractions itself.
func (h *history) engine(ctx context.Context, window string, at time.Time) (map[gen.Key]figure, error) {
	buckets := fmt.Sprintf("sum by (%s,le) (increase(%s_bucket%s))", keyLabels, sli, window)
	vector, err := h.storage.Query(ctx, buckets, at)
	if err != nil {
		return nil, err
	}
	type bucket struct{ bound, count float64 }
	byKey := map[gen.Key][]bucket{}
	for _, sample := range vector {
		bound, err := bucketOf(sample)
		if err != nil {
			return nil, err
		}
		key := keyOf(sample.Metric)
		byKey[key] = append(byKey[key], bucket{bound, sample.F})
	}
	figures := map[gen.Key]figure{}
	for key, list := range byKey {
		slices.SortFunc(list, func(a, b bucket) int { return cmp.Compare(a.bound, b.bound) })
		f := figure{quantiles: make([]float64, len(quantiles)), fractions: make([]float64, 2)}
		for _, b := range list {
			f.buckets = append(f.buckets, b.count)
		}
		figures[key] = f
	}
	for i, q := range quantiles {
		if err := h.each(ctx, fmt.Sprintf("histogram_quantile(%v, %s)", q, buckets), at, func(key gen.Key, v float64) {
			figures[key].quantiles[i] = v
		}); err != nil {
			return nil, err
		}
	}
	for i, threshold := range []string{"1", "30"} {
		query := fmt.Sprintf(`sum by (%[1]s) (increase(%[2]s_bucket{le=~"%[3]s(\\.0)?"}%[4]s)) / sum by (%[1]s) (increase(%[2]s_count%[4]s))`,
			keyLabels, sli, threshold, window)
		if err := h.each(ctx, query, at, func(key gen.Key, v float64) { figures[key].fractions[i] = v }); err != nil {
			return nil, err
		}
	}
	return figures, nil
}

func (h *history) each(ctx context.Context, query string, at time.Time, visit func(gen.Key, float64)) error {
	vector, err := h.storage.Query(ctx, query, at)
	for _, sample := range vector {
		visit(keyOf(sample.Metric), sample.F)
	}
	return err
}

// flows compares a counter, by instance, priority level and flow schema, and returns
// the largest relative difference.
func (h *history) flows(ctx context.Context, reading *sources.Reading, at time.Time, window time.Duration) (float64, error) {
	type flow struct{ level, schema, instance string }
	vector, err := h.storage.Query(ctx, fmt.Sprintf("sum by (instance,priority_level,flow_schema) (increase(%s[%dms] anchored))", dispatched, window.Milliseconds()), at)
	if err != nil {
		return 0, err
	}
	want := map[flow]float64{}
	for _, sample := range vector {
		want[flow{sample.Metric.Get("priority_level"), sample.Metric.Get("flow_schema"), sample.Metric.Get("instance")}] = sample.F
	}
	worst := 0.0
	series := reading.Results["apf-dispatched-requests"].Series
	for _, s := range series {
		worst = math.Max(worst, relative(s.Increase, want[flow{s.Values[0], s.Values[1], s.Instance}]))
	}
	if len(series) != len(want) || len(series) == 0 {
		return 0, fmt.Errorf("dispatched requests of %d flow schemas, the engine has %d", len(series), len(want))
	}
	return worst, nil
}

// truth is what happened between the samples that the reading was taken from.
func (h *history) truth(reading *sources.Reading) (map[gen.Key]figure, error) {
	counts := map[gen.Key][]float64{}
	for i := range h.Instances {
		n := slices.IndexFunc(reading.Instances, func(in sources.Instance) bool { return in.Name == instanceName(i) })
		if n < 0 || !reading.Instances[n].Observed {
			return nil, fmt.Errorf("%s was not observed", instanceName(i))
		}
		first, known := h.truths[i][reading.Instances[n].First.UTC()]
		last, alsoKnown := h.truths[i][reading.Instances[n].Last.UTC()]
		if !known || !alsoKnown {
			return nil, fmt.Errorf("%s was read from %s to %s, which are no samples", instanceName(i), reading.Instances[n].First, reading.Instances[n].Last)
		}
		for key, t := range last {
			if counts[key] == nil {
				counts[key] = make([]float64, len(t.Counts))
			}
			for b, count := range t.Counts {
				if before, was := first[key]; was {
					count -= before.Counts[b]
				}
				counts[key][b] += float64(count)
			}
		}
	}
	bounds := append(gen.Bounds(), math.Inf(1))
	figures := map[gen.Key]figure{}
	for key, count := range counts {
		for i := 1; i < len(count); i++ {
			count[i] += count[i-1]
		}
		figures[key] = figureOf(&sources.Buckets{Bounds: bounds, Counts: count})
	}
	return figures, nil
}
