// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// The bounds of a native histogram are powers of two to a 2^-schema, or custom ones,
// which somebody has chosen. Quantiles are interpolated exponentially between the
// first and linearly between the second, and the API does not tell which they are.
// They mostly show it: no bound of 0.1 or 5 is exponential, and none that is a root of
// two was ever chosen. Only where all of them are whole powers of two they may be either:
// then the engine is asked for a quantile, and what it interpolates tells. All series of
// a metric are taken to be alike; PromQL can not even sum others.

// layoutOf some histograms: whether their bounds are custom ones, if that shows. Of
// empty ones it does not matter.
func layoutOf(all iter.Seq[native]) (custom, known bool) {
	known = true
	for h := range all {
		for _, one := range h.buckets {
			switch {
			case one.Lower == -one.Upper:
				return false, true // the zero bucket
			case math.IsInf(one.Lower, 0) || math.IsInf(one.Upper, 0) || one.Lower == 0 || one.Upper == 0:
				return true, true
			}
			lower, upper := math.Log2(math.Abs(one.Lower)), math.Log2(math.Abs(one.Upper))
			if !isWhole(lower) || !isWhole(upper) {
				return !isExponential(lower) || !isExponential(upper), true
			}
			known = false
		}
	}
	return false, known
}

func isWhole(exponent float64) bool { return exponent == math.Trunc(exponent) }

// isExponential says whether there is a bound with the exponent at the highest
// resolution (prometheus model/histogram, ExponentialSchemaMax).
func isExponential(exponent float64) bool {
	const highest = 256 // 2^8 buckets to a power of two
	const noise = 1e-9
	return math.Abs(exponent*highest-math.Round(exponent*highest)) < noise*highest
}

// askLayout whether the bounds are custom ones, by a quantile of each histogram: where
// it is nearer to linear interpolation, they are.
func (t nativeTable) askLayout(ctx context.Context, q *session, signal sources.Signal) (custom bool, err error) {
	const within = 0.41 // of one, two or three observations it is not at a bound
	var key []byte
	for _, promql := range slices.Compact(slices.Sorted(maps.Values(t.from))) {
		rows := table{}
		err := q.query(ctx, fmt.Sprintf("histogram_quantile(%v, %s)", within, promql), func(one *series) error {
			_, key = rows.of(one, signal, key)
			if t.from[string(key)] == promql {
				h := t.histograms[string(key)]
				off := func(custom bool) float64 { return math.Abs(h.as(custom).Quantile(within) - one.points[0].value) }
				custom = custom || off(true) < off(false)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return custom, nil
}
