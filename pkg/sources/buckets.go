// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"math"
	"sort"
)

// Buckets is a histogram, or its increase over a window. It has at least the bucket
// +Inf. Counts are float64 because extrapolated increases are no integers.
type Buckets struct {
	// Bounds are the inclusive upper bounds in seconds, ascending. The last is +Inf.
	Bounds []float64
	// Counts are cumulative: Counts[i] observations were at most Bounds[i].
	Counts []float64
	// Native says that the bounds are those of a native histogram: both ends of each
	// bucket that holds something, so that a bound which is not there is either within
	// such a bucket or where nothing was observed.
	Native bool
	// Custom says of a native histogram that its bounds were chosen by somebody, as
	// those of a classic one are (schema -53 of Prometheus), and are no powers of two.
	Custom bool
	// Sum of all observations in seconds; NaN when unknown.
	Sum float64
}

// Count is the number of observations.
func (b *Buckets) Count() float64 {
	if len(b.Counts) == 0 {
		return 0
	}
	return b.Counts[len(b.Counts)-1]
}

// AtMost is the number of observations that were at most bound. It is known only
// where bound is one of the bounds: a threshold between two buckets, or whose
// bucket was dropped on the way, has no true answer. In a native histogram it is known
// between two buckets, too, that hold something.
func (b *Buckets) AtMost(bound float64) (count float64, known bool) {
	i := sort.SearchFloat64s(b.Bounds, bound)
	switch {
	case i == len(b.Bounds):
		return 0, false
	case b.Bounds[i] == bound, b.Native && b.in(i) == 0:
		return b.Counts[i], true
	}
	return 0, false
}

// Quantile interpolates the q-quantile as PromQL's histogram_quantile does
// (prometheus promql/quantile.go, bucketQuantile): linearly within a bucket, from
// zero in the first one, and the highest finite bound when it lies beyond that.
// It is NaN without observations or without a finite bucket, and infinite for a q
// outside [0,1]. Counts have to be monotonic; see EnsureMonotonic.
func (b *Buckets) Quantile(q float64) float64 {
	switch {
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	case math.IsNaN(q):
		return q
	case b.Native:
		return b.nativeQuantile(q)
	}
	i := b.rank(q)
	switch {
	case i < 0 || len(b.Bounds) < 2:
		return math.NaN()
	case i == len(b.Bounds)-1:
		return b.Bounds[i-1]
	case i == 0 && b.Bounds[0] <= 0:
		return b.Bounds[0]
	}
	var start, below float64
	if i > 0 {
		start, below = b.Bounds[i-1], b.Counts[i-1]
	}
	return start + (b.Bounds[i]-start)*((q*b.Count()-below)/(b.Counts[i]-below))
}

// Bucket returns the bounds of the bucket that holds the q-quantile: over lower,
// up to upper, which may be +Inf. The first bucket reaches down to zero, or without
// end when its bound is not positive. It is not known without observations.
func (b *Buckets) Bucket(q float64) (lower, upper float64, known bool) {
	i := b.rank(q)
	if b.Native {
		i, _ = b.nativeRank(q)
	}
	if i < 0 {
		return 0, 0, false
	}
	switch {
	case i > 0:
		lower = b.Bounds[i-1]
	case b.Bounds[0] <= 0:
		lower = math.Inf(-1)
	}
	return lower, b.Bounds[i], true
}

// rank is the index of the bucket that holds the q-quantile, -1 without observations.
func (b *Buckets) rank(q float64) int {
	count := b.Count()
	if !(count > 0) {
		return -1
	}
	rank := q * count
	last := len(b.Counts) - 1
	return sort.Search(last, func(i int) bool { return b.Counts[i] >= rank })
}

// Add sums b and other. Bounds are dropped at which the count of one of them is not
// known: those that only one of two classic histograms has, and those within a bucket
// of a native one. Two native ones are summed as Prometheus does.
func (b *Buckets) Add(other *Buckets) *Buckets {
	if b.Native || other.Native {
		return b.addNative(other)
	}
	sum := &Buckets{
		Bounds: make([]float64, 0, len(b.Bounds)),
		Counts: make([]float64, 0, len(b.Bounds)),
		Sum:    b.Sum + other.Sum,
	}
	for i, j := 0, 0; i < len(b.Bounds) && j < len(other.Bounds); {
		switch {
		case b.Bounds[i] < other.Bounds[j]:
			i++
		case b.Bounds[i] > other.Bounds[j]:
			j++
		default:
			sum.Bounds = append(sum.Bounds, b.Bounds[i])
			sum.Counts = append(sum.Counts, b.Counts[i]+other.Counts[j])
			i, j = i+1, j+1
		}
	}
	return sum
}

// EnsureMonotonic returns b with counts that never fall from one bucket to the
// next, as histogram_quantile does before it interpolates: increases taken from
// samples of different ages, or extrapolated bucket by bucket, may be off by a
// little.
func (b *Buckets) EnsureMonotonic() *Buckets {
	fixed := &Buckets{Bounds: b.Bounds, Counts: append([]float64(nil), b.Counts...), Native: b.Native, Custom: b.Custom, Sum: b.Sum}
	for i := 1; i < len(fixed.Counts); i++ {
		fixed.Counts[i] = math.Max(fixed.Counts[i], fixed.Counts[i-1])
	}
	return fixed
}
