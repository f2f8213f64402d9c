// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// Sums of float64 depend on their order: collect has to choose one. Three series
// in one key show it; the sums of two do not depend on it.
func TestCollectSumsInOneOrder(t *testing.T) {
	o := Objective{Key: []string{labelSubresource}, Threshold: time.Second}
	labels := []string{labelSubresource, labelVerb}
	for round := range uint64(rounds) {
		r := rand.New(rand.NewPCG(6, round))
		var series []sources.Series
		for _, verb := range mutatingVerbs() {
			count := r.Float64() * 1000
			series = append(series, sources.Series{Values: []string{"status", verb},
				Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{count * r.Float64(), count}}})
		}
		want := collect(o, labels, series, nil)[0]
		r.Shuffle(len(series), func(i, j int) { series[i], series[j] = series[j], series[i] })
		got := collect(o, labels, series, nil)[0]
		if got.count != want.count || got.least != want.least || got.most != want.most {
			t.Fatalf("round %d: %v of %v good, in another order %v of %v", round, want.least, want.count, got.least, got.count)
		}
	}
}

// Counts that fall from one bucket to the next are lifted before they are used,
// as histogram_quantile does: a threshold bucket read a little earlier than its
// neighbors does not make requests slow.
func TestTallyIsMonotonic(t *testing.T) {
	falling := &tally{}
	falling.add(&sources.Buckets{Bounds: []float64{0.8, 1, math.Inf(+1)}, Counts: []float64{100, 97, 100}}, 1)
	if falling.least != 100 || falling.most != 100 || falling.count != 100 {
		t.Errorf("from %v to %v of %v within the threshold, want 100 of 100", falling.least, falling.most, falling.count)
	}
}

// Dry runs count for nothing, also where the shares of missing instances are added: 595
// of 600 good is not 995 of 1000.
func TestEvenSharesWithoutDryRuns(t *testing.T) {
	o := Objective{EvenShares: true, Percentile: 99}
	few := shares{observed: 997, expected: 1000}
	for dryRuns, want := range map[float64]outcome{0: kept, 400: keptSoFar} {
		counted := &tally{count: 1000, least: 995, most: 995, dryRuns: dryRuns}
		if got := counted.outcome(o, few, sources.Exact); got != want {
			t.Errorf("with %v dry runs the outcome is %v, want %v", dryRuns, got, want)
		}
	}
}
