// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// saturatedShare is the highest bound under the limit of the utilization histogram
// (metrics.go PriorityLevelExecutionSeatsGaugeVec, whose buckets for both 0.99 and 1
// are there to reveal saturation).
const saturatedShare = 0.99

// nanosecondsPerMillisecond: a timing histogram makes one observation at the end of
// every nanosecond (metrics/timing_ratio_histogram.go), so its counts are times.
const nanosecondsPerMillisecond = 1e6

// seatUtilization reads the increase of the histogram of seats taken as a share of
// the current limit (queueset.go sets ConcurrencyDenominator); nil when unknown. No
// time passes without observations: none at all is no idleness.
//
// Up to 1.27 the share was of the current limit even when that was 0: 0/0 for an idle
// level that has lent all its seats, which is counted with what is over the last bound
// and makes a sum that is no number from then on. What is there may be such time.
func seatUtilization(b *sources.Buckets) *v1alpha1.SeatUtilization {
	if !sound(b) {
		return nil
	}
	b = b.EnsureMonotonic()
	if b.Count() < nanosecondsPerMillisecond || math.IsNaN(b.Sum) && beyond(b) > 0 {
		return nil
	}
	u := &v1alpha1.SeatUtilization{Average: ratio(b.Sum / b.Count())}
	if within, known := b.AtMost(saturatedShare); known {
		u.SaturatedMilliseconds = new(int64(math.Round((b.Count() - within) / nanosecondsPerMillisecond)))
	}
	u.PeakOver, u.PeakUpTo = peakShare(b)
	return u
}

// peakShare is the highest bucket that holds at least a millisecond: less may come
// from the extrapolation of each bucket by itself. The one from 0 to 0 is the first.
func peakShare(b *sources.Buckets) (over, upTo string) {
	top := len(b.Bounds) - 1
	for top > 0 && b.Counts[top]-b.Counts[top-1] < nanosecondsPerMillisecond {
		top--
	}
	over = "0"
	if top > 0 {
		over = ratio(b.Bounds[top-1])
	}
	if isLast(b.Bounds[top]) {
		return over, ""
	}
	return over, ratio(b.Bounds[top])
}

// beyond is what is over the last finite bound.
func beyond(b *sources.Buckets) float64 {
	if n := len(b.Counts); n > 1 {
		return b.Counts[n-1] - b.Counts[n-2]
	}
	return b.Count()
}

// sound says that a histogram can be read: it is there, it ends with +Inf, and its
// counts are counts.
func sound(b *sources.Buckets) bool {
	return b != nil && len(b.Counts) > 0 && slices.ContainsFunc(b.Bounds, isLast) && !slices.ContainsFunc(b.Counts, isNoCount)
}

// ratio writes a share as the API has it, with up to six digits; "" when unknown.
func ratio(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return ""
	}
	text := strconv.FormatFloat(v, 'f', 6, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
