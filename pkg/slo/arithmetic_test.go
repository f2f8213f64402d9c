// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

func TestHolds(t *testing.T) {
	const big = 1 << 52 // times 99 * 5000 it does not fit into 64 bits
	for _, test := range []struct {
		name        string
		good, count float64
		shares      shares
		rule        sources.Rule
		want        bool
	}{
		{"exactly 99%", 99, 100, everything, sources.Exact, true},
		{"one less", 98, 100, everything, sources.Exact, false},
		{"one of 99 slow", 98, 99, everything, sources.Exact, false},
		{"all good", 1, 1, everything, sources.Exact, true},
		{"none good", 0, 1, everything, sources.Exact, false},
		{"exactly 99% of many", 99 * big, 100 * big, everything, sources.Exact, true},
		{"noise below 99% is a difference when exact", 99*big - 1024, 100 * big, everything, sources.Exact, false},
		{"noise below 99%", 98.99999999999999, 100, everything, sources.Extrapolated, true},
		{"above all noise", 98.999, 100, everything, sources.Extrapolated, false},
		{"one request below in a million", 989999, 1000000, everything, sources.Extrapolated, false},
		{"1% of the instances missing", 100, 100, shares{99, 100}, sources.Exact, true},
		{"1% missing, one slow", 99, 100, shares{99, 100}, sources.Exact, false},
		{"half of a percent missing, some slow", 995, 1000, shares{199, 200}, sources.Exact, true},
		{"2% missing", 100, 100, shares{98, 100}, sources.Exact, false},
		{"1% missing, extrapolated", 100.1, 100.1, shares{99, 100}, sources.Extrapolated, true},
		{"2% missing, extrapolated", 100.1, 100.1, shares{98, 100}, sources.Extrapolated, false},
		{"many instances and requests", big, big, shares{4950, 5000}, sources.Exact, true},
		{"one more missing", big, big, shares{4949, 5000}, sources.Exact, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := holds(test.good, test.count, 99, test.shares, test.rule); got != test.want {
				t.Errorf("holds(%v of %v, %v, %s) = %v, want %v", test.good, test.count, test.shares, test.rule, got, test.want)
			}
		})
	}
}

func TestWithin(t *testing.T) {
	b := &sources.Buckets{Bounds: []float64{0.5, 1, 5, math.Inf(+1)}, Counts: []float64{1, 3, 7, 10}}
	for _, test := range []struct{ threshold, least, most float64 }{
		{0.1, 0, 1}, {0.5, 1, 1}, {0.8, 1, 3}, {1, 3, 3}, {2, 3, 7}, {5, 7, 7}, {30, 7, 10},
	} {
		if least, most := within(b, test.threshold); least != test.least || most != test.most {
			t.Errorf("within %v s: from %v to %v, want from %v to %v", test.threshold, least, most, test.least, test.most)
		}
	}
}

func TestUsable(t *testing.T) {
	inf, nan := math.Inf(+1), math.NaN()
	for name, test := range map[string]struct {
		buckets *sources.Buckets
		want    bool
	}{
		"no histogram":       {nil, false},
		"no bucket":          {&sources.Buckets{}, false},
		"no +Inf":            {&sources.Buckets{Bounds: []float64{1}, Counts: []float64{1}}, false},
		"counts missing":     {&sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{1}}, false},
		"NaN count":          {&sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{1, nan}}, false},
		"negative count":     {&sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{-1, 1}}, false},
		"infinite count":     {&sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{1, inf}}, false},
		"unsorted":           {&sources.Buckets{Bounds: []float64{2, 1, inf}, Counts: []float64{1, 1, 1}}, false},
		"NaN bound":          {&sources.Buckets{Bounds: []float64{nan, inf}, Counts: []float64{1, 1}}, false},
		"count beyond int64": {&sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{1, 1e19}}, false},
		"bound beyond int64": {&sources.Buckets{Bounds: []float64{1e18, inf}, Counts: []float64{1, 1}}, false},
		"-Inf bound":         {&sources.Buckets{Bounds: []float64{-inf, inf}, Counts: []float64{1, 1}}, false},
		"two +Inf":           {&sources.Buckets{Bounds: []float64{inf, inf}, Counts: []float64{1, 1}}, false},
		"only +Inf":          {&sources.Buckets{Bounds: []float64{inf}, Counts: []float64{3}}, true},
		"falling by a noise": {&sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{3.0000000001, 3}}, true},
	} {
		if got := usable(test.buckets); got != test.want {
			t.Errorf("%s: usable is %v, want %v", name, got, test.want)
		}
	}
}

func TestRatio(t *testing.T) {
	for _, test := range []struct {
		slow, total int64
		want        string
	}{
		{0, 0, ""}, {0, 7, "1"}, {7, 7, "0"}, {12, 40, "0.7"}, {412, 18234, "0.977404"}, {1, 3, "0.666666"},
		{1, 10_000_000, "0.999999"}, {1, math.MaxInt64, "0.999999"}, {999_999, 1_000_000, "0.000001"}, {9_999_999, 10_000_000, "0"},
	} {
		if got := ratio(test.slow, test.total); got != test.want {
			t.Errorf("%d of %d slow: good ratio %q, want %q", test.slow, test.total, got, test.want)
		}
	}
}

func TestRounding(t *testing.T) {
	for _, test := range []struct {
		part, total float64
		want        int64
	}{
		{0, 100, 0}, {1e-12, 100, 0}, {0.2, 100, 1}, {1.4, 100, 1}, {1.5, 100, 2}, {-1e-12, 100, 0},
	} {
		if got := whole(test.part, test.total); got != test.want {
			t.Errorf("%v of %v events are %d, want %d", test.part, test.total, got, test.want)
		}
	}
	for seconds, want := range map[float64]int64{0: 0, 2.87: 2870, 0.3: 300, 0.0001: 1, 1.0000001: 1001, 4.35: 4350} {
		if got := milliseconds(seconds); got != want {
			t.Errorf("%v s are %d ms, want %d", seconds, got, want)
		}
	}
}
