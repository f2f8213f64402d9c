// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.io/slo-apiserver/pkg/sources"
)

func TestBetween(t *testing.T) {
	at := noon
	offsets := func(seconds ...int) (times []time.Time) {
		for _, s := range seconds {
			times = append(times, at.Add(time.Duration(s)*time.Second))
		}
		return times
	}
	old := at.Add(-24 * time.Hour)
	for name, test := range map[string]struct {
		times    []time.Time
		started  time.Time
		from, to int
		ok       bool
	}{
		"no sample":                      {nil, old, 0, 0, false},
		"only samples after the end":     {offsets(1), old, 0, 0, false},
		"a sample at each end":           {offsets(-301, -300, -1, 0, 1), old, 1, 3, true},
		"the one before a missed sample": {offsets(-360, -240, 0), old, 0, 2, true},
		"first seen within the window":   {offsets(-200, -100), old, 0, 1, true},
		"the start is not known":         {offsets(-200, -100), time.Time{}, 0, 1, true},
		"born within the window":         {offsets(-200, -100), at.Add(-250 * time.Second), birth, 1, true},
		"born as the window begins":      {offsets(-200), at.Add(-300 * time.Second), birth, 0, true},
		"born before the window":         {offsets(-200), at.Add(-301 * time.Second), 0, 0, true},
		"not read within the window":     {offsets(-400, -350), old, 1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, ok := between(test.times, test.started, at, 300*time.Second)
			if from != test.from || to != test.to || ok != test.ok {
				t.Errorf("got %d to %d, %t; want %d to %d, %t", from, to, ok, test.from, test.to, test.ok)
			}
		})
	}
}

// numbers as values: NaN is unknown, -1 is absent.
func numbers(vs ...float64) (values []naiveValue) {
	for _, v := range vs {
		switch {
		case math.IsNaN(v):
			values = append(values, naiveValue{state: unknown})
		case v < 0:
			values = append(values, naiveValue{state: absent})
		default:
			values = append(values, naiveValue{state: known, number: v})
		}
	}
	return values
}

func TestCounterIncrease(t *testing.T) {
	nan := math.NaN()
	for name, test := range map[string]struct {
		values []naiveValue
		want   float64
	}{
		"nothing":                      {nil, 0},
		"one sample":                   {numbers(7), 0},
		"rises":                        {numbers(7, 9, 12), 5},
		"stands still":                 {numbers(7, 7), 0},
		"begins at zero when absent":   {numbers(-1, 3, 5), 5},
		"reset":                        {numbers(7, 9, 2, 3), 5},
		"reset to zero":                {numbers(7, 0, 3), 3},
		"vanishes":                     {numbers(7, 9, -1), 2},
		"vanishes and comes back":      {numbers(7, 9, -1, 4), 6},
		"unknown between":              {numbers(7, nan, 9), 2},
		"unknown first is no zero":     {numbers(nan, 9, 10), 1},
		"absent, then unknown":         {numbers(-1, nan, 10), 10},
		"unknown at the end":           {numbers(7, 9, nan), 2},
		"reset behind an unknown":      {numbers(7, nan, 3), 3},
		"large enough to lose nothing": {numbers(1<<53-2, 1<<53-1), 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := counterIncrease(plain(test.values)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// buckets with the bounds 1, 5, +Inf and the sum of all counts.
func buckets(counts ...float64) naiveValue {
	sum := 0.0
	for _, c := range counts {
		sum += c
	}
	return naiveValue{state: known, histogram: &sources.Buckets{
		Bounds: []float64{1, 5, math.Inf(1)}, Counts: counts, Sum: sum,
	}}
}

func TestHistogramIncrease(t *testing.T) {
	for name, test := range map[string]struct {
		values []naiveValue
		want   *sources.Buckets
	}{
		"never known":                {numbers(-1, -1), nil},
		"one sample":                 {[]naiveValue{buckets(1, 2, 3)}, &sources.Buckets{Bounds: []float64{1, 5, math.Inf(1)}, Counts: []float64{0, 0, 0}}},
		"begins at zero when absent": {[]naiveValue{{state: absent}, buckets(1, 2, 3)}, buckets(1, 2, 3).histogram},
		"rises":                      {[]naiveValue{buckets(1, 2, 3), buckets(2, 4, 6)}, buckets(1, 2, 3).histogram},
		// After the reset the last bucket has passed its old count: taken alone it
		// would have counted 2 where the first counted 0.
		"reset as a whole": {[]naiveValue{buckets(5, 5, 5), buckets(0, 0, 7)}, buckets(0, 0, 7).histogram},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, histogramIncrease(test.values)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHistogramIncreaseOfOtherBounds(t *testing.T) {
	other := naiveValue{state: known, histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(1)}, Counts: []float64{3, 4}, Sum: 9}}
	got := histogramIncrease([]naiveValue{buckets(1, 2, 3), buckets(2, 3, 4), other})
	want := &sources.Buckets{Bounds: []float64{1, math.Inf(1)}, Counts: []float64{1 + 3, 1 + 4}, Sum: 3 + 9}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// life of a series: counts that rise, become unknown, and may be reset and vanish.
func life(r *rand.Rand, resets bool) []naiveValue {
	var counts [3]float64
	values := make([]naiveValue, 0, 20)
	for range 2 + r.IntN(18) {
		switch n := r.IntN(10); {
		case n == 0:
			values = append(values, naiveValue{state: unknown})
			continue
		case n == 1 && resets:
			counts = [3]float64{}
			values = append(values, naiveValue{state: absent})
			continue
		case n == 2 && resets:
			counts = [3]float64{}
		}
		added := 0.0
		for i := range counts {
			added += float64(r.IntN(50))
			counts[i] += added
		}
		v := buckets(slices.Clone(counts[:])...)
		v.number = v.histogram.Count()
		values = append(values, v)
	}
	return values
}

// A count is never negative, and without resets the buckets of an increase never
// fall. (A reset after which all buckets have passed their old counts can not be
// seen; that is what the start time of a process is for.)
func TestIncreaseIsAHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 5000 {
		resets := n%2 == 0
		values := life(r, resets)
		if got := counterIncrease(plain(values)); got < 0 {
			t.Fatalf("a counter counted %v over %v", got, values)
		}
		got := histogramIncrease(values)
		if got == nil {
			continue
		}
		if slices.Min(got.Counts) < 0 || (!resets && !slices.IsSorted(got.Counts)) {
			t.Fatalf("a histogram counted %v over %v", got.Counts, values)
		}
	}
}

// The increase over [a,c] is that over [a,b] and [b,c] for every sample b that is
// no gap: an unknown value at b hides what comes after from the second half.
func TestIncreaseAddsUp(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		values := life(r, true)
		b := r.IntN(len(values))
		if values[b].state == unknown {
			continue
		}
		if got, want := counterIncrease(plain(values[:b+1]))+counterIncrease(plain(values[b:])), counterIncrease(plain(values)); got != want {
			t.Fatalf("%v in halves and %v in one, split at %d of %v", got, want, b, values)
		}
		whole, first, second := histogramIncrease(values), histogramIncrease(values[:b+1]), histogramIncrease(values[b:])
		switch {
		case first == nil:
			first = second
		case second != nil:
			first = first.Add(second)
		}
		if diff := cmp.Diff(whole, first, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Fatalf("split at %d of %v:\n%s", b, values, diff)
		}
	}
}
