// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// TestPart wants no expression that is cut or empty, and a signal unless an expression
// names its metric and there is nothing else to say.
func TestPart(t *testing.T) {
	counter := sources.Signal{Name: "c", Kind: sources.Counter, Metrics: []string{"requests_total", "old_requests_total"}}
	histogram := sources.Signal{Name: "h", Kind: sources.Histogram, Metrics: []string{"latency"}}
	for name, test := range map[string]struct {
		signal     sources.Signal
		expression string
		metrics    []string
		figures    int
		said       bool // the signal
	}{
		"named":                 {counter, "sum(requests_total{})", counter.Metrics[:1], 1, false},
		"of another metric":     {counter, "sum(my_requests_totals{})", counter.Metrics[:1], 1, true},
		"a fallback":            {counter, "sum(old_requests_total{})", counter.Metrics[1:], 1, true},
		"both":                  {counter, "sum(requests_total{} or old_requests_total{})", counter.Metrics, 1, true},
		"none":                  {counter, "", nil, 0, true},
		"too long":              {counter, "sum(requests_total{})" + strings.Repeat(" ", 16<<10), counter.Metrics[:1], 0, true},
		"buckets":               {histogram, "sum(latency_bucket{})", histogram.Metrics, 1, false},
		"native":                {histogram, "sum(histogram_count(latency{}))", histogram.Metrics, 1, false},
		"only sums say nothing": {histogram, "sum(latency_sum{})", histogram.Metrics, 1, true},
	} {
		var part evidence.Part
		part.Figure("f", test.expression)
		part.Signal(test.signal, sources.Result{Metrics: test.metrics}, 3)
		if len(part.Figures) != test.figures || (len(part.Signals) > 0) != test.said {
			t.Errorf("%s: %+v, want %d figures, the signal: %t", name, part, test.figures, test.said)
		}
	}
}

// TestQueries wants those that name thousands of instances to be counted instead of shown:
// five of 5000 kubelets, of which every third is silent, are 0.7 MB.
func TestQueries(t *testing.T) {
	long := strings.Repeat("x", 40<<10)
	result := sources.Result{Queries: []sources.Query{{Role: sources.RoleBuckets, PromQL: "short"}, {Role: sources.RoleSum, PromQL: long}, {Role: sources.RoleBorn, PromQL: long}}}
	queries, omitted := evidence.Queries(result)
	if len(queries) != 1 || queries[0].Query != "short" || omitted == nil || *omitted != 2 {
		t.Errorf("%d queries, and omitted %v; want the short one, and 2", len(queries), omitted)
	}
	if _, omitted := evidence.Queries(sources.Result{Queries: result.Queries[:1]}); omitted != nil {
		t.Errorf("omitted %d of one short query", *omitted)
	}
}
