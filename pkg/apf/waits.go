// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// longWaitSeconds is the wait that v1alpha1.PressureQueueing speaks of. It is a
// bound of the wait histogram in all versions (metrics.go
// requestDurationSecondsBuckets), so requests over it are counted, not guessed.
const longWaitSeconds = 0.1

// longWaitOneIn makes a level Queueing when one in so many requests waited long.
const longWaitOneIn = 100

// histogram sums the waits of a limited level. nil and known: nothing waited.
// Every dispatched request of such a level has waited, if only for no time
// (apf_filter.go Handle): without series, nothing waited where nothing was
// dispatched, and the metric is missing where something was.
func (i *instance) histogram(level string) (sum *sources.Buckets, known bool) {
	series, known := i.of(waits, level)
	if !known {
		n := i.increase(dispatched, level)
		return nil, n != nil && *n == 0
	}
	for _, s := range series {
		if !sound(s.Histogram) {
			return nil, false
		}
		sum = add(sum, s.Histogram)
	}
	return sum, true
}

func isLast(bound float64) bool { return math.IsInf(bound, 1) }

// isNoCount says of NaN, too, that it is none: compared with a threshold it would
// pass for few waits.
func isNoCount(v float64) bool {
	_, known := whole(v)
	return !known
}

// add sums two histograms, either of which may be nil.
func add(a, b *sources.Buckets) *sources.Buckets {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return a.Add(b)
}

// longWaits counts the waits of more than longWaitSeconds. It is not known when
// the bucket with that bound was dropped on the way.
func longWaits(b *sources.Buckets) (long, all float64, known bool) {
	if b == nil {
		return 0, 0, true
	}
	b = b.EnsureMonotonic()
	if b.Count() == 0 {
		return 0, 0, true
	}
	within, known := b.AtMost(longWaitSeconds)
	return b.Count() - within, b.Count(), known
}

// waitP99 is the 99th percentile of the waits, and the bucket it falls in.
func waitP99(b *sources.Buckets) (*int64, *v1alpha1.LatencyBucket) {
	return waitQuantile(b, 0.99)
}

// waitQuantile is a quantile of the waits in milliseconds, rounded up, and the bucket
// it falls in; nil without waits or without finite buckets.
func waitQuantile(b *sources.Buckets, q float64) (*int64, *v1alpha1.LatencyBucket) {
	if b == nil {
		return nil, nil
	}
	b = b.EnsureMonotonic()
	wait := b.Quantile(q)
	lower, upper, known := b.Bucket(q)
	if math.IsNaN(wait) || !known {
		return nil, nil
	}
	// The first bound is 0 s, and its bucket reaches down without end; no wait does. It
	// is rounded down: native histograms have bounds within a millisecond.
	bucket := &v1alpha1.LatencyBucket{OverMilliseconds: int64(math.Floor(max(lower, 0)*1000 + 1e-6))}
	if !math.IsInf(upper, 1) {
		bucket.UpToMilliseconds = new(milliseconds(upper))
	}
	return new(milliseconds(wait)), bucket
}

// milliseconds rounds up, but not for the error of the multiplication: 0.57 s are
// 570 ms although 0.57*1000 is a little less, and others a little more.
func milliseconds(seconds float64) int64 {
	return int64(math.Ceil(seconds*1000 - 1e-6))
}
