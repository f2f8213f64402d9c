// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// Native histograms are read where Prometheus has nothing else: a job with
// scrape_native_histograms and without always_scrape_classic_histograms, of
// kube-apiservers and kubelets from 1.37 on. Their increase is a histogram with bounds
// of its own, which the answer has: they are kept, so that what is said of a threshold
// between two of them is known to be between two counts. With
// convert_classic_histograms_to_nhcb a job has native histograms with the bounds of
// classic ones, and an answer does not say which of the two it has.

// nativeTable is an answer with native histograms, by the values of the labels.
type nativeTable struct {
	rows table
	// histograms by the keys of rows, and the queries that they are answers to.
	histograms map[string]native
	from       map[string]string
}

// read fills the table; what is there of the same labels is replaced.
func (t nativeTable) read(ctx context.Context, q *session, signal sources.Signal, promql string) error {
	var key []byte
	return q.natives(ctx, promql, func(one *series) error {
		_, key = t.rows.of(one, signal, key)
		t.histograms[string(key)], t.from[string(key)] = one.natives[0], promql
		return nil
	})
}

// readNative reads the native histograms of one metric.
func (s *Source) readNative(ctx context.Context, q *session, e expressions) (map[string]sources.Series, error) {
	t := nativeTable{rows: table{}, histograms: map[string]native{}, from: map[string]string{}}
	if err := t.read(ctx, q, e.signal, e.asked.note(sources.RoleBuckets, e.increase("", nil))); err != nil {
		return nil, err
	}
	if err := t.readBorn(ctx, q, e); err != nil {
		return nil, err
	}
	custom, known := layoutOf(maps.Values(t.histograms))
	if !known {
		var err error
		if custom, err = t.askLayout(ctx, q, e.signal); err != nil {
			return nil, err
		}
	}
	found := make(map[string]sources.Series, len(t.histograms))
	for key, h := range t.histograms {
		if !h.isValid() {
			return nil, fmt.Errorf("the buckets of a native histogram of %s do not add up to its count", e.part.metric)
		}
		r := t.rows[key]
		found[key] = sources.Series{Values: r.values, Instance: r.instance, Histogram: h.as(custom)}
	}
	return found, nil
}

// as buckets of that layout. They are copied: what is put in order may be kept for other
// instants.
func (n native) as(custom bool) *sources.Buckets {
	return sources.FromNative(slices.Clone(n.buckets), custom, n.sum)
}

// isValid says that the histogram is one: its buckets have bounds, and hold all
// observations. Those that are NaN are in none.
func (n native) isValid() bool {
	total := 0.0
	for _, one := range n.buckets {
		if !(one.Count >= 0 && one.Lower <= one.Upper) {
			return false
		}
		total += one.Count
	}
	const noise = 1e-6 // of sums of extrapolated counts
	return math.Abs(total-n.count) <= noise*max(1, n.count)
}

func isNative(s sources.Series) bool { return s.Histogram != nil && s.Histogram.Native }
