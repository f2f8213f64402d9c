// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// histogram puts buckets in order, those with one bound spelt in two ways together,
// and leaves out bounds that are not in common; nil common means that all are. It
// is nil without the bucket +Inf.
func histogram(buckets []bucket, common []float64, sum float64) *sources.Buckets {
	slices.SortFunc(buckets, func(a, b bucket) int { return cmp.Compare(a.le, b.le) })
	h := &sources.Buckets{Sum: sum, Bounds: make([]float64, 0, len(buckets)), Counts: make([]float64, 0, len(buckets))}
	for _, b := range buckets {
		if _, found := slices.BinarySearch(common, b.le); !found && common != nil {
			continue
		}
		if last := len(h.Bounds) - 1; last >= 0 && h.Bounds[last] == b.le {
			h.Counts[last] += b.count
			continue
		}
		h.Bounds = append(h.Bounds, b.le)
		h.Counts = append(h.Counts, b.count)
	}
	if len(h.Bounds) == 0 || !math.IsInf(h.Bounds[len(h.Bounds)-1], 1) {
		return nil
	}
	return h.EnsureMonotonic()
}
