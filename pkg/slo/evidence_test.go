// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"slices"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// TestEvidenceOfRules wants the percentile to be asked for as it is served: where counts
// may not be whole, it allows for their noise.
func TestEvidenceOfRules(t *testing.T) {
	for _, test := range []struct {
		rule     sources.Rule
		known    v1alpha1.IncreaseRule
		quantile string
	}{
		{sources.Exact, v1alpha1.IncreaseExact, "histogram_quantile(0.99, "},
		{sources.Extrapolated, v1alpha1.IncreaseExtrapolated, "histogram_quantile(0.989999999, "},
		{sources.BetweenSamples, v1alpha1.IncreaseBetweenSamples, "histogram_quantile(0.989999999, "},
	} {
		buckets := sources.Buckets{Bounds: []float64{0.5, 1, math.Inf(+1)}, Counts: []float64{90, 99, 100}}
		reading := readingOf([]sources.Series{{Values: []string{"", "pods", "", "POST", "resource"}, Histogram: &buckets}})
		reading.Rule = test.rule
		latency := reading.Results[SignalRequestLatency]
		latency.Expressions = sources.Canonical{Signal: requestLatency(), Metrics: latency.Metrics, Window: reading.Window}
		reading.Results[SignalRequestLatency] = latency
		report := mutating(t, reading)
		e := report.Status.Evidence
		if e == nil || e.Rule != test.known {
			t.Errorf("%s: evidence %+v", test.rule, e)
			continue
		}
		i := slices.IndexFunc(e.Figures, func(f v1alpha1.FigureEvidence) bool { return f.Figure == "indicators.p99Milliseconds" })
		if i < 0 || !strings.Contains(e.Figures[i].Expression, test.quantile) {
			t.Errorf("%s: no %s in %+v", test.rule, test.quantile, e.Figures)
		}
	}
}

// TestEvidenceOfKeys wants every indicator to point to the evidence of its report, and
// none to anything where nothing was read.
func TestEvidenceOfKeys(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	reading, resources := manyKeys()
	judged := Judge(objectives, reading, resources, Options{})
	at := map[string]*v1alpha1.Evidence{}
	for _, r := range judged.Reports {
		at[r.Name] = r.Status.Evidence
	}
	for _, i := range Indicators(judged.Assessments, noDays) {
		want := at[i.Spec.Report]
		if (want == nil) != (i.Status.Evidence == nil) || want != nil && !i.Status.Evidence.EvaluationTime.Equal(&want.EvaluationTime) {
			t.Fatalf("%s: %+v, and its report %+v", i.Name, i.Status.Evidence, want)
		}
	}
	if at[APILatencyMutating] == nil || at[PodStartupLatency] != nil {
		t.Errorf("evidence of mutating %v, of pods %v, which nobody read", at[APILatencyMutating], at[PodStartupLatency])
	}
}

func requestLatency() sources.Signal {
	signals := Signals()
	return signals[slices.IndexFunc(signals, func(s sources.Signal) bool { return s.Name == SignalRequestLatency })]
}

// TestEvidenceOfThreshold wants the slow requests to be asked for by the bound that the
// buckets have: 1.14 s is not 1 s and 0.14 s in a float64.
func TestEvidenceOfThreshold(t *testing.T) {
	o := defined(t, "mine", "signals:\n- {name: s, component: kube-apiserver, type: Histogram, metrics: [a]}\n"+
		"objectives:\n- {name: mine, description: d, signal: s, threshold: 1140ms}\n")
	reading := readingOf(nil)
	reading.Results[o.Signal] = sources.Result{
		Metrics:     o.Reads.Metrics,
		Series:      []sources.Series{{Histogram: &sources.Buckets{Bounds: []float64{1.14, math.Inf(+1)}, Counts: []float64{99, 100}}}},
		Expressions: sources.Canonical{Signal: o.Reads, Metrics: o.Reads.Metrics, Window: reading.Window},
	}
	status := Judge([]Objective{o}, reading, nil, Options{}).Reports[0].Status
	if status.SlowRequests == nil || *status.SlowRequests != 1 {
		t.Fatalf("slow requests %v, want 1", status.SlowRequests)
	}
	i := slices.IndexFunc(status.Evidence.Figures, func(f v1alpha1.FigureEvidence) bool { return f.Figure == "slowRequests" })
	if i < 0 || !strings.Contains(status.Evidence.Figures[i].Expression, `le="1.14"`) {
		t.Errorf(`no bound le="1.14": %+v`, status.Evidence.Figures)
	}
}

// TestEvidenceOfUnnamed wants what may be of the objective, since no verb says that it is
// not, to be asked for as it is counted.
func TestEvidenceOfUnnamed(t *testing.T) {
	o := defined(t, "mine", "objectives:\n- {name: mine, description: d, signal: api-requests, verbs: [GET], bad: {code: [5xx]}, goodRatio: '0.9'}\n")
	for name, test := range map[string]struct {
		verbs []string
		want  string
	}{
		"all named":   {[]string{"GET"}, `,verb="GET"`},
		"one unnamed": {[]string{"GET", ""}, `,verb=~"GET|"`},
	} {
		reading := readingOf(nil)
		result := sources.Result{Metrics: o.Reads.Metrics, Expressions: sources.Canonical{Signal: o.Reads, Metrics: o.Reads.Metrics, Window: reading.Window}}
		for _, verb := range test.verbs {
			result.Series = append(result.Series, sources.Series{Values: []string{"", "pods", "", verb, "resource", "200"}, Increase: 100})
		}
		reading.Results[o.Signal] = result
		status := Judge([]Objective{o}, reading, nil, Options{}).Reports[0].Status
		if status.Requests == nil || *status.Requests != int64(100*len(test.verbs)) {
			t.Fatalf("%s: requests %v", name, status.Requests)
		}
		for _, figure := range []string{"requests", "indicators.requests"} {
			i := slices.IndexFunc(status.Evidence.Figures, func(f v1alpha1.FigureEvidence) bool { return f.Figure == figure })
			if i < 0 || !strings.Contains(status.Evidence.Figures[i].Expression, test.want) {
				t.Errorf("%s: %s does not select %s: %+v", name, figure, test.want, status.Evidence.Figures)
			}
		}
	}
}
