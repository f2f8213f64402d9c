// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// quantilesOf a histogram with observations. A quantile in the bucket +Inf is
// more than the last bound, which is not the quantile: the 99th percentile says
// so by its bucket, the others are left out.
func quantilesOf(b *sources.Buckets, rule sources.Rule) v1alpha1.Quantiles {
	return v1alpha1.Quantiles{
		P50Milliseconds: quantile(b, 0.5, rule),
		P90Milliseconds: quantile(b, 0.9, rule),
		P99Milliseconds: p99(b, rule),
		P99Bucket:       p99Bucket(b, rule),
	}
}

// allowing for the noise of extrapolated counts, as the verdict does: where 99%
// are within a bucket but for the rounding, the 99th percentile is in that bucket.
func allowing(q float64, rule sources.Rule) float64 {
	if rule == sources.Exact {
		return q
	}
	return q - noise
}

func quantile(b *sources.Buckets, q float64, rule sources.Rule) *int64 {
	q = allowing(q, rule)
	if _, upper, known := b.Bucket(q); !known || math.IsInf(upper, +1) {
		return nil
	}
	ms := milliseconds(b.Quantile(q))
	return &ms
}

// p99 is the last bound where the percentile is beyond it.
func p99(b *sources.Buckets, rule sources.Rule) *int64 {
	value := b.Quantile(allowing(0.99, rule))
	if math.IsNaN(value) {
		return nil
	}
	ms := milliseconds(value)
	return &ms
}

func p99Bucket(b *sources.Buckets, rule sources.Rule) *v1alpha1.LatencyBucket {
	lower, upper, known := b.Bucket(allowing(0.99, rule))
	if !known || len(b.Bounds) < 2 {
		return nil // a histogram without a finite bucket tells nothing
	}
	// A first bound of 0 s or less has a bucket that reaches down without end; no
	// latency does. Native histograms have bounds within a millisecond: what is said
	// of them has to stay true, and so they are rounded apart.
	bucket := &v1alpha1.LatencyBucket{OverMilliseconds: int64(math.Floor(max(lower, 0)*1000 + 1e-6))}
	if !math.IsInf(upper, +1) {
		ms := milliseconds(upper)
		bucket.UpToMilliseconds = &ms
	}
	return bucket
}
