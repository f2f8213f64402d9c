// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"math"
	"math/big"
	"sort"
	"strings"

	"example.io/slo-apiserver/pkg/sources"
)

// noise is the relative error allowed in extrapolated counts. PromQL multiplies
// and sums them in float64 (relative error 1e-16 an operation), so that 99 of 100
// may come as 98.99999999999999. A true difference is at least a hundredth of a
// request away from a percentile in whole percent: it stays above the noise up to
// ten million requests in one key and window. The share of a Ratio may be finer than
// that: there the noise is a difference that is no more than itself.
const noise = 1e-9

// shares allows for instances that were not observed: of the events of expected
// instances, those of observed ones are known.
//
// Each missing instance is taken to hold as many events as an observed one does
// on average, and all of them to be slow. So without any slow event a 99th
// percentile holds with up to 1% of the instances missing, and with fewer the
// more slow events there are. It is a rule, not a proof: missing instances may be
// the busy ones. With all instances observed it changes nothing.
type shares struct{ observed, expected int }

// everything is observed.
var everything = shares{1, 1}

// holds says whether the percentile is within the threshold that good of count
// events did not exceed: whether at least that share of the events is good. No
// quantile is interpolated for it.
func holds(good, count float64, percentile int32, s shares, rule sources.Rule) bool {
	return holdsShare(good, count, int64(percentile)*10_000, s, rule)
}

// holdsShare says whether at least that share of the events, in millionths, is good.
func holdsShare(good, count float64, millionths int64, s shares, rule sources.Rule) bool {
	if rule != sources.Exact {
		need := float64(millionths) / 1_000_000 * count * float64(s.expected) / float64(s.observed)
		return good >= need-noise*count
	}
	// good/count * observed/expected >= millionths/1000000, over whole numbers. Exact
	// counts are whole, and the products may not fit into 64 bits.
	left := product(int64(math.Round(good)), 1_000_000, int64(s.observed))
	right := product(int64(math.Round(count)), millionths, int64(s.expected))
	return left.Cmp(right) >= 0
}

func product(factors ...int64) *big.Int {
	p := big.NewInt(1)
	for _, f := range factors {
		p.Mul(p, big.NewInt(f))
	}
	return p
}

// within bounds the number of events that were at most threshold (in seconds).
// Where threshold is a bucket bound both are the same. Where that bucket is
// missing, the next lower bound tells how many were within it for sure, the next
// higher one how many may have been.
func within(b *sources.Buckets, threshold float64) (least, most float64) {
	if known, ok := b.AtMost(threshold); ok {
		return known, known
	}
	i := sort.SearchFloat64s(b.Bounds, threshold)
	if i > 0 {
		least = b.Counts[i-1]
	}
	return least, b.Counts[i] // the last bound is +Inf: there is always a higher one
}

// maxWhole is the end of the integers that a float64 holds exactly. No cluster counts or
// waits that far in a window; what is beyond would not fit into the API's integers.
const maxWhole = 1 << 53

// usable says that b is a histogram: it has a last bucket +Inf, ascending bounds
// and counts that are numbers, all within reason.
func usable(b *sources.Buckets) bool {
	if b == nil || len(b.Bounds) == 0 || len(b.Bounds) != len(b.Counts) || !math.IsInf(b.Bounds[len(b.Bounds)-1], +1) {
		return false
	}
	for i, count := range b.Counts {
		bound, last := b.Bounds[i], i == len(b.Bounds)-1
		if !(count >= 0 && count <= maxWhole) || !last && !(math.Abs(bound) <= maxWhole/1000) || i > 0 && !(b.Bounds[i-1] < bound) {
			return false
		}
	}
	return true
}

// whole rounds a part of total to a whole number of events. What is more than
// noise is at least one event: a slow request never rounds away.
func whole(part, total float64) int64 {
	if !(part > noise*total) {
		return 0
	}
	return max(1, int64(math.Round(part)))
}

// ratio is (total-slow)/total as a decimal of up to six digits, rounded down: it
// is "1" only when nothing was slow. It is "" when total is zero.
func ratio(slow, total int64) string {
	if total <= 0 {
		return ""
	}
	const digits = 1_000_000
	millionths := new(big.Int).Div(product(total-slow, digits), big.NewInt(total)).Int64()
	if millionths == digits {
		return "1"
	}
	decimal := strings.TrimRight(fmt.Sprintf("0.%06d", millionths), "0")
	return strings.TrimSuffix(decimal, ".")
}

// milliseconds rounds seconds up. A millionth of a millisecond is allowed for, so
// that 2.87 s, which is no binary fraction, are 2870 ms.
func milliseconds(seconds float64) int64 {
	return int64(math.Ceil(seconds*1000 - 1e-6))
}
