// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.io/slo-apiserver/pkg/sources"
)

// story of a histogram: a life in which it may also change its bounds, stand still,
// and have counts that are no integers.
func story(r *rand.Rand) []naiveValue {
	var values []naiveValue
	scale := []float64{1, 1, 0.25, 0.1, 1e11}[r.IntN(5)]
	for range 1 + r.IntN(3) {
		part, cut := life(r, true), r.IntN(2)
		for i := range part {
			h := part[i].histogram
			if h == nil {
				continue
			}
			if i > 0 && r.IntN(3) == 0 {
				part[i] = part[i-1]
				continue
			}
			counts := append([]float64{}, h.Counts[cut:]...)
			for n := range counts {
				counts[n] *= scale
			}
			part[i].histogram = &sources.Buckets{Bounds: h.Bounds[cut:], Counts: counts, Sum: h.Sum * 0.1}
		}
		values = append(values, part...)
	}
	return values
}

// naiveIncrease over the values (from, to], of which those before first are dropped
// but for the last.
func naiveIncrease(values []naiveValue, first, from, to int) *sources.Buckets {
	var during []naiveValue
	if from == birth {
		during, from = append(during, naiveValue{}), first
	}
	during = append(during, values[from:to+1]...)
	// A value that stands still is no step, not even to other bounds.
	return histogramIncrease(slices.CompactFunc(during, func(a, b naiveValue) bool {
		if a.histogram == nil || b.histogram == nil {
			return a.state == b.state && a.histogram == b.histogram
		}
		return a.histogram.Sum == b.histogram.Sum && slices.Equal(a.histogram.Counts, b.histogram.Counts) &&
			slices.Equal(a.histogram.Bounds, b.histogram.Bounds)
	}))
}

func checkStory(t *testing.T, values []naiveValue, windows *rand.Rand) {
	h, first := &histogram{}, 0
	var r histogramReader
	for scrape, v := range values {
		now := sample{state: v.state}
		if v.state == known {
			now.bounds, now.counts, now.number = v.histogram.Bounds, v.histogram.Counts, v.histogram.Sum
		}
		h.add(scrape, &now)
		if windows.IntN(4) == 0 {
			first += windows.IntN(scrape - first + 1)
			h.prune(first)
		}
		to := first + windows.IntN(scrape-first+1)
		from := first + windows.IntN(to-first+1)
		begin, atBirth := from, windows.IntN(3) == 0
		if atBirth {
			from, begin = birth, 0
		}
		want := naiveIncrease(values, first, from, to)
		got := r.increase(h, begin, to, atBirth)
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
			t.Fatalf("over (%d, %d] of %d, held from %d: %s\n%s", from, to, scrape, first, diff, describe(values[:scrape+1]))
		}
	}
}

func describe(values []naiveValue) (out string) {
	for _, v := range values {
		out += cmp.Diff(naiveValue{}, v, cmp.AllowUnexported(naiveValue{})) + "\n"
	}
	return out
}

// The log of a histogram gives the increases that all of its values give.
func TestHistogramIsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 800 {
		checkStory(t, story(r), r)
	}
}

func FuzzHistogramIsNaive(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		checkStory(t, story(r), r)
	})
}

// A histogram that goes on as before takes no more memory once its history is full.
func TestHistogramLogIsBounded(t *testing.T) {
	h := &histogram{}
	now := sample{state: known, bounds: []float64{1, math.Inf(1)}, counts: []float64{0, 0}}
	for scrape := range 10_000 {
		now.counts[0], now.counts[1], now.number = now.counts[0]+1, now.counts[1]+2, now.number+0.5
		h.add(scrape, &now)
		h.prune(scrape - 40)
	}
	if held := cap(h.chapter.log); held > 2048 || h.chapter.earlier != nil {
		t.Errorf("%d bytes of log for 40 scrapes", held)
	}
}
