// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// rounds of every property. Seeds are fixed: a failure names its round.
const rounds = 500

// traffic is the latencies of every key of one cluster.
type traffic map[key][]float64

// randomTraffic is around the edge: most keys have about 1% of slow requests.
func randomTraffic(r *rand.Rand) traffic {
	tr := traffic{}
	for _, resource := range []string{"pods", "nodes", "configmaps"}[:1+r.IntN(3)] {
		for _, verb := range mutatingVerbs()[:1+r.IntN(5)] {
			k := key{resource: resource, verb: verb}
			for range r.IntN(400) {
				seconds := r.Float64()
				if r.IntN(100) == 0 {
					seconds = 1 + r.ExpFloat64()*20
				}
				tr[k] = append(tr[k], seconds)
			}
		}
	}
	return tr
}

func (tr traffic) reading(bounds []float64) *sources.Reading {
	var series []sources.Series
	for k, latencies := range tr {
		b := &sources.Buckets{Bounds: bounds, Counts: make([]float64, len(bounds))}
		for _, seconds := range latencies {
			observe(b, seconds, 1)
		}
		series = append(series, sources.Series{Values: []string{k.group, k.resource, k.subresource, k.verb, "resource"}, Histogram: b})
	}
	return readingOf(series)
}

func readingOf(series []sources.Series) *sources.Reading {
	return &sources.Reading{
		At: scenarioAt, Window: DefaultWindow, Rule: sources.Exact,
		Instances: []sources.Instance{{Component: sources.KubeAPIServer, Name: "a", Observed: true, First: scenarioAt.Add(-DefaultWindow), Last: scenarioAt}},
		Results:   map[string]sources.Result{SignalRequestLatency: {Metrics: []string{metricRequestSLI}, Series: series}},
	}
}

func mutating(t *testing.T, reading *sources.Reading) v1alpha1.SLOReport {
	t.Helper()
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	classes := map[schema.GroupResource]Class{{Resource: "pods"}: BuiltIn, {Resource: "nodes"}: BuiltIn, {Resource: "configmaps"}: BuiltIn}
	return Evaluate(objectives[:1], reading, NewResources(classes, nil), Options{})[0]
}

// bruteForce is the verdict over single latencies: the 99th percentile is the
// latency of rank ceil(0.99 n).
func bruteForce(tr traffic) (verdict v1alpha1.Verdict, violated, requests, slow int64) {
	verdict = v1alpha1.VerdictNoTraffic
	for _, latencies := range tr {
		n := len(latencies)
		if n == 0 {
			continue
		}
		sorted := slices.Sorted(slices.Values(latencies))
		if sorted[(99*n+99)/100-1] > 1 {
			violated++
		}
		requests += int64(n)
		for _, seconds := range latencies {
			if seconds > 1 {
				slow++
			}
		}
	}
	switch {
	case violated > 0:
		verdict = v1alpha1.VerdictViolated
	case requests > 0:
		verdict = v1alpha1.VerdictMet
	}
	return verdict, violated, requests, slow
}

func TestVerdictEqualsPercentileOfLatencies(t *testing.T) {
	seen := map[v1alpha1.Verdict]int{}
	for round := range uint64(rounds) {
		tr := randomTraffic(rand.New(rand.NewPCG(1, round)))
		status := mutating(t, tr.reading(requestBounds())).Status
		verdict, violated, requests, slow := bruteForce(tr)
		seen[verdict]++
		if status.Verdict == v1alpha1.VerdictUnknown && len(tr) == 0 {
			continue // no series at all
		}
		if status.Verdict != verdict || status.Keys.Violated != violated || *status.Requests != requests || *status.SlowRequests != slow {
			t.Fatalf("round %d: %s, %d violated, %d requests, %d slow; want %s, %d, %d, %d", round,
				status.Verdict, status.Keys.Violated, *status.Requests, *status.SlowRequests, verdict, violated, requests, slow)
		}
		checkFigures(t, round, status)
	}
	if seen[v1alpha1.VerdictMet] < rounds/20 || seen[v1alpha1.VerdictViolated] < rounds/20 {
		t.Errorf("the traffic is too one-sided to test anything: %v", seen)
	}
}

// checkFigures: what is shown agrees with itself.
func checkFigures(t *testing.T, round uint64, status v1alpha1.SLOReportStatus) {
	t.Helper()
	for _, w := range status.Worst {
		over := *w.P99Milliseconds > 1000
		if broken := w.SlowRequests*100 > w.Requests; over != broken {
			t.Errorf("round %d: p99 is %d ms with %d of %d requests slow", round, *w.P99Milliseconds, w.SlowRequests, w.Requests)
		}
		if b := w.P99Bucket; *w.P99Milliseconds < b.OverMilliseconds || (b.UpToMilliseconds != nil && *w.P99Milliseconds > *b.UpToMilliseconds) {
			t.Errorf("round %d: p99 of %d ms is not in its bucket %+v", round, *w.P99Milliseconds, *b)
		}
		if (w.GoodRatio == "1") != (w.SlowRequests == 0) {
			t.Errorf("round %d: good ratio %s with %d slow requests", round, w.GoodRatio, w.SlowRequests)
		}
	}
}

func TestInputOrderDoesNotMatter(t *testing.T) {
	for round := range uint64(rounds) {
		r := rand.New(rand.NewPCG(2, round))
		reading := randomTraffic(r).reading(requestBounds())
		// Extrapolated counts: sums of these depend on the order they are made in.
		reading.Rule = sources.Extrapolated
		result := reading.Results[SignalRequestLatency]
		for i := range result.Series {
			counts := result.Series[i].Histogram.Counts
			factor := 1 + r.Float64()/10
			for j := range counts {
				counts[j] *= factor
			}
		}
		reading.Instances = append(reading.Instances, sources.Instance{Component: sources.KubeAPIServer, Name: "b", Problem: "off"},
			sources.Instance{Component: sources.KubeAPIServer, Name: "c", Problem: "off"})
		want := mutating(t, reading)
		r.Shuffle(len(result.Series), func(i, j int) { result.Series[i], result.Series[j] = result.Series[j], result.Series[i] })
		slices.Reverse(reading.Instances)
		if diff := cmp.Diff(want, mutating(t, reading)); diff != "" {
			t.Fatalf("round %d: another order of the same input gives (-want +got):\n%s", round, diff)
		}
	}
}

func TestMoreGoodRequestsNeverViolate(t *testing.T) {
	for round := range uint64(rounds) {
		r := rand.New(rand.NewPCG(3, round))
		tr := randomTraffic(r)
		before := mutating(t, tr.reading(requestBounds())).Status.Verdict
		for k := range tr {
			for range r.IntN(500) {
				tr[k] = append(tr[k], r.Float64())
			}
		}
		after := mutating(t, tr.reading(requestBounds())).Status.Verdict
		if before == v1alpha1.VerdictMet && after != v1alpha1.VerdictMet {
			t.Fatalf("round %d: more good requests made it %s", round, after)
		}
	}
}

func TestVerdictOfMergedInstances(t *testing.T) {
	for round := range uint64(rounds) {
		r := rand.New(rand.NewPCG(4, round))
		a, b := randomTraffic(r), randomTraffic(r)
		sum := traffic{}
		for _, tr := range []traffic{a, b} {
			for k, latencies := range tr {
				sum[k] = append(sum[k], latencies...)
			}
		}
		want := mutating(t, sum.reading(requestBounds()))
		both := slices.Concat(a.reading(requestBounds()).Results[SignalRequestLatency].Series, b.reading(requestBounds()).Results[SignalRequestLatency].Series)
		if diff := cmp.Diff(want, mutating(t, readingOf(both))); diff != "" {
			t.Fatalf("round %d: two instances differ from one with the traffic of both (-want +got):\n%s", round, diff)
		}
		met := func(tr traffic) bool { v, _, _, _ := bruteForce(tr); return v == v1alpha1.VerdictMet }
		if met(a) && met(b) && want.Status.Verdict != v1alpha1.VerdictMet {
			t.Fatalf("round %d: two instances that hold make one that is %s", round, want.Status.Verdict)
		}
	}
}

// Whatever is taken away of the metrics, a broken objective is never called met,
// and what holds is never called violated.
func TestMissingIsNeverMet(t *testing.T) {
	undecided := 0
	for round := range uint64(rounds) {
		r := rand.New(rand.NewPCG(5, round))
		tr := randomTraffic(r)
		truth, _, _, _ := bruteForce(tr)
		var bounds []float64
		for _, bound := range requestBounds() {
			if math.IsInf(bound, +1) || (r.IntN(2) == 0 && bound != 1) {
				bounds = append(bounds, bound)
			}
		}
		reading := tr.reading(bounds)
		got := mutating(t, reading).Status
		if got.Verdict != truth && got.Verdict != v1alpha1.VerdictUnknown {
			t.Fatalf("round %d: with the buckets %v it is %s, in truth %s", round, bounds, got.Verdict, truth)
		}
		if got.Verdict == v1alpha1.VerdictUnknown {
			undecided++
		}
		for _, gap := range []sources.Instance{
			{Component: sources.KubeAPIServer, Name: "b", Problem: "off"},
			{Component: sources.KubeAPIServer, Name: "b", Observed: true, First: scenarioAt.Add(-time.Minute), Last: scenarioAt},
			{Component: sources.KubeAPIServer, Name: "b", Observed: true, First: scenarioAt.Add(-time.Hour), Last: scenarioAt.Add(-2 * time.Minute)},
		} {
			incomplete := *reading
			incomplete.Instances = append(slices.Clone(reading.Instances), gap)
			if verdict := mutating(t, &incomplete).Status.Verdict; verdict != v1alpha1.VerdictUnknown && verdict != v1alpha1.VerdictViolated {
				t.Fatalf("round %d: with the instance %+v it is %s", round, gap, verdict)
			}
		}
	}
	if undecided == 0 || undecided == rounds {
		t.Errorf("%d of %d rounds were undecided: that tests nothing", undecided, rounds)
	}
}
