// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/sources"
)

// manyKeys is a reading with 600 keys of one objective, with their total latencies.
func manyKeys() (*sources.Reading, *Resources) {
	classes := map[schema.GroupResource]Class{}
	var sli, total []sources.Series
	for i := range 120 {
		resource := fmt.Sprintf("resources%03d", i)
		classes[schema.GroupResource{Group: "apps", Resource: resource}] = BuiltIn
		for _, verb := range []string{"APPLY", "DELETE", "PATCH", "POST", "PUT"} {
			b := &sources.Buckets{Bounds: requestBounds(), Counts: make([]float64, len(requestBounds()))}
			observe(b, 0.1, float64(100+i))
			sli = append(sli, sources.Series{Values: []string{"apps", resource, "", verb, "resource"}, Histogram: b})
			total = append(total, sources.Series{Values: []string{"apps", resource, "", verb, "resource", ""}, Histogram: b})
		}
	}
	reading := readingOf(sli)
	expressions := func(signal sources.Signal) sources.Expressions {
		return sources.Canonical{Signal: signal, Metrics: signal.Metrics[:1], Window: reading.Window}
	}
	indicator := reading.Results[SignalRequestLatency]
	indicator.Expressions = expressions(requestLatency())
	reading.Results[SignalRequestLatency] = indicator
	reading.Results[SignalTotalLatency] = sources.Result{Metrics: []string{metricRequest}, Series: total, Expressions: expressions(totalLatency())}
	return reading, NewResources(classes, nil)
}

// BenchmarkIndicators is what the first reader of 600 indicators pays for.
func BenchmarkIndicators(b *testing.B) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		b.Fatal(err)
	}
	reading, resources := manyKeys()
	judged := Judge(objectives, reading, resources, Options{})
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Indicators(judged.Assessments, noDays)); n < 600 {
			b.Fatal(n)
		}
	}
}

// BenchmarkJudge is what an evaluation with them costs whether or not somebody reads
// them, with the total latency and without.
func BenchmarkJudge(b *testing.B) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		b.Fatal(err)
	}
	reading, resources := manyKeys()
	b.Run("with the total", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Judge(objectives, reading, resources, Options{})
		}
	})
	delete(reading.Results, SignalTotalLatency)
	b.Run("without", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Judge(objectives, reading, resources, Options{})
		}
	})
}
