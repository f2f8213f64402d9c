// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// A bucket without a lower end, or without an upper one, is no number of
// milliseconds at that end: -Inf converted to an integer is whatever the processor
// makes of it.
func TestP99Bucket(t *testing.T) {
	inf := math.Inf(+1)
	for name, test := range map[string]struct {
		buckets sources.Buckets
		bucket  *v1alpha1.LatencyBucket
		p99     *int64
	}{
		"first bound zero":     {sources.Buckets{Bounds: []float64{0, 1, inf}, Counts: []float64{9, 9, 9}}, &v1alpha1.LatencyBucket{UpToMilliseconds: new(int64(0))}, new(int64(0))},
		"beyond the last":      {sources.Buckets{Bounds: []float64{1, 60, inf}, Counts: []float64{0, 0, 9}}, &v1alpha1.LatencyBucket{OverMilliseconds: 60_000}, new(int64(60_000))},
		"first":                {sources.Buckets{Bounds: []float64{0.05, 1, inf}, Counts: []float64{9, 9, 9}}, &v1alpha1.LatencyBucket{UpToMilliseconds: new(int64(50))}, new(int64(50))},
		"of a native one":      {sources.Buckets{Bounds: []float64{0.00109, 0.00119, inf}, Counts: []float64{0, 9, 9}, Native: true}, &v1alpha1.LatencyBucket{OverMilliseconds: 1, UpToMilliseconds: new(int64(2))}, new(int64(2))},
		"no binary fractions":  {sources.Buckets{Bounds: []float64{0.29, 0.57, inf}, Counts: []float64{0, 9, 9}}, &v1alpha1.LatencyBucket{OverMilliseconds: 290, UpToMilliseconds: new(int64(570))}, new(int64(568))},
		"no finite bound":      {sources.Buckets{Bounds: []float64{inf}, Counts: []float64{9}}, nil, nil},
		"without observations": {sources.Buckets{Bounds: []float64{1, inf}, Counts: []float64{0, 0}}, nil, nil},
	} {
		q := quantilesOf(&test.buckets, sources.Exact)
		if diff := cmp.Diff(test.bucket, q.P99Bucket); diff != "" {
			t.Errorf("%s: bucket (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(test.p99, q.P99Milliseconds); diff != "" {
			t.Errorf("%s: p99 (-want +got):\n%s", name, diff)
		}
	}
}
