// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// What is said here of native histograms is the arithmetic of Prometheus 3
// (v0.315.0, promql/quantile.go: HistogramQuantile and HistogramFraction), and a test
// beside the source of that name holds it against a real one.

// NativeBucket is one bucket of a native histogram: over Lower, at most Upper.
type NativeBucket struct{ Lower, Upper, Count float64 }

// FromNative makes Buckets of those of a native histogram that hold something, which
// it may put in order. custom is Buckets.Custom.
//
// The zero bucket reaches as far below zero as above. Where nothing else is below
// zero, its observations are taken to be above, and the other way round; the first
// of custom buckets, which reaches down without end, begins at zero if it can.
func FromNative(buckets []NativeBucket, custom bool, sum float64) *Buckets {
	slices.SortFunc(buckets, func(a, b NativeBucket) int { return cmp.Compare(a.Upper, b.Upper) })
	b := &Buckets{Native: true, Custom: custom, Sum: sum}
	total := 0.0
	bound := func(at float64) {
		if last := len(b.Bounds) - 1; !math.IsInf(at, 0) && (last < 0 || b.Bounds[last] < at) {
			b.Bounds, b.Counts = append(b.Bounds, at), append(b.Counts, total)
		}
	}
	for i, one := range buckets {
		if one.Lower < 0 && one.Upper > 0 {
			switch {
			case i == 0 && (custom || len(buckets) > 1):
				one.Lower = 0
			case i > 0 && i == len(buckets)-1 && !custom:
				one.Upper = 0
			}
		}
		if one.Lower < one.Upper { // or it holds zero alone
			bound(one.Lower)
		}
		total += one.Count
		bound(one.Upper)
	}
	b.Bounds, b.Counts = append(b.Bounds, math.Inf(1)), append(b.Counts, total)
	return b
}

// in is the count of one bucket.
func (b *Buckets) in(i int) float64 {
	if i == 0 {
		return b.Counts[0]
	}
	return b.Counts[i] - b.Counts[i-1]
}

// nativeRank is the bucket that holds the q-quantile, -1 without observations, and the
// share of it that is below. From the median on Prometheus counts from above: a
// quantile right between two buckets is the lower end of the upper one.
func (b *Buckets) nativeRank(q float64) (i int, share float64) {
	count := b.Count()
	if q < 0.5 || math.IsNaN(b.Sum) {
		rank := q * count
		for i := range b.Counts {
			if in := b.in(i); in > 0 && b.Counts[i] >= rank {
				return i, (rank - (b.Counts[i] - in)) / in
			}
		}
		return -1, 0
	}
	rank := (1 - q) * count
	for i, upTo := range slices.Backward(b.Counts) {
		in := b.in(i)
		if above := count - (upTo - in); in > 0 && above >= rank {
			return i, (above - rank) / in
		}
	}
	return -1, 0
}

// nativeQuantile interpolates linearly in the zero bucket and in custom ones, and
// exponentially in all others: as if each were divided into two of equal count where a
// histogram of twice the resolution divides it.
func (b *Buckets) nativeQuantile(q float64) float64 {
	i, share := b.nativeRank(q)
	if i < 0 || len(b.Bounds) < 2 {
		return math.NaN()
	}
	if i == 0 {
		return b.Bounds[0] // of a bucket that reaches down without end, or holds zero alone
	}
	lower, upper := b.Bounds[i-1], b.Bounds[i]
	switch {
	case math.IsInf(upper, 1):
		return lower
	case b.isLinear(i):
		return lower + (upper-lower)*share
	case lower > 0:
		low, high := math.Log2(lower), math.Log2(upper)
		return math.Exp2(low + (high-low)*share)
	}
	low, high := math.Log2(-lower), math.Log2(-upper)
	return -math.Exp2(high + (low-high)*(1-share))
}

// isLinear says that observations are taken to lie evenly within the bucket.
func (b *Buckets) isLinear(i int) bool {
	return b.Custom || b.Bounds[i-1] <= 0 && b.Bounds[i] >= 0
}

// Interpolated is how many observations of a native histogram were at most bound, as
// histogram_fraction has it: interpolated as quantiles are where bound is within a
// bucket that holds something. Nothing is below the lowest bucket, or within the
// highest one where that has no upper end.
func (b *Buckets) Interpolated(bound float64) float64 {
	i := sort.SearchFloat64s(b.Bounds, bound)
	switch {
	case i == len(b.Bounds):
		return b.Count()
	case b.Bounds[i] == bound:
		return b.Counts[i]
	case i == 0:
		return 0
	}
	lower, upper, below, in := b.Bounds[i-1], b.Bounds[i], b.Counts[i-1], b.in(i)
	switch {
	case in == 0 || math.IsInf(upper, 1):
		return below
	case b.isLinear(i):
		return below + in*(bound-lower)/(upper-lower)
	}
	low, high, at := math.Log2(math.Abs(lower)), math.Log2(math.Abs(upper)), math.Log2(math.Abs(bound))
	return below + in*(at-low)/(high-low) // below zero both differences are negative
}
