// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"cmp"
	"math"
	"slices"
)

// addNative sums two histograms of which one at least is native.
func (b *Buckets) addNative(other *Buckets) *Buckets {
	switch {
	case b.Native && other.Native && b.Custom == other.Custom:
		all := append(b.native(), other.native()...)
		if b.Custom {
			all = united(all)
		} else {
			all = coarsened(all)
		}
		return FromNative(all, b.Custom, b.Sum+other.Sum)
	case b.Native && !(b.Custom && other.Native):
		b, other = other, b // whose bounds somebody has chosen
	}
	sum := &Buckets{Sum: b.Sum + other.Sum}
	for i, bound := range b.Bounds {
		if count, known := other.AtMost(bound); known {
			sum.Bounds, sum.Counts = append(sum.Bounds, bound), append(sum.Counts, b.Counts[i]+count)
		}
	}
	return sum
}

// native buckets that hold something.
func (b *Buckets) native() []NativeBucket {
	var all []NativeBucket
	for i, upper := range b.Bounds {
		in := b.in(i)
		switch {
		case in == 0:
		case i > 0:
			all = append(all, NativeBucket{b.Bounds[i-1], upper, in})
		case b.Custom:
			all = append(all, NativeBucket{math.Inf(-1), upper, in})
		default:
			all = append(all, NativeBucket{upper, upper, in}) // zero alone
		}
	}
	return all
}

// united puts custom buckets together that overlap: of other bounds than the others
// have those in common are left (Prometheus 3: intersectCustomBucketBounds).
func united(all []NativeBucket) []NativeBucket {
	slices.SortFunc(all, func(a, b NativeBucket) int { return cmp.Compare(a.Lower, b.Lower) })
	var sum []NativeBucket
	for _, one := range all {
		last := len(sum) - 1
		if last < 0 || one.Lower >= sum[last].Upper {
			sum = append(sum, one)
			continue
		}
		sum[last].Upper = max(sum[last].Upper, one.Upper)
		sum[last].Count += one.Count
	}
	return sum
}

// coarsened puts exponential buckets together that are of one bucket in the lowest of
// their resolutions (Prometheus 3, model/histogram, FloatHistogram.Add). Zero buckets
// are taken to be of one width, as all in Kubernetes are.
func coarsened(all []NativeBucket) []NativeBucket {
	lowest, zero := math.MaxInt, NativeBucket{}
	for _, one := range all {
		if schema, is := one.schema(); is {
			lowest = min(lowest, schema)
		} else {
			zero = NativeBucket{min(zero.Lower, one.Lower), max(zero.Upper, one.Upper), zero.Count + one.Count}
		}
	}
	counts := map[NativeBucket]float64{} // by bounds
	for _, one := range all {
		if _, is := one.schema(); is {
			counts[one.in(lowest)] += one.Count
		}
	}
	var sum []NativeBucket
	for bounds, count := range counts {
		sum = append(sum, NativeBucket{bounds.Lower, bounds.Upper, count})
	}
	if zero.Count > 0 {
		sum = append(sum, zero)
	}
	return sum
}

// schema of an exponential bucket: it ends at 2^(2^-schema) times its begin. The zero
// bucket has none.
func (n NativeBucket) schema() (schema int, is bool) {
	if n.Lower <= 0 && n.Upper >= 0 {
		return 0, false
	}
	near, far := n.exponents()
	return -int(math.Round(math.Log2(far - near))), true
}

// exponents of two at the bounds, the one nearer to zero first.
func (n NativeBucket) exponents() (near, far float64) {
	lower, upper := math.Log2(math.Abs(n.Lower)), math.Log2(math.Abs(n.Upper))
	return min(lower, upper), max(lower, upper)
}

// in is the bucket of a schema, which is no higher, that this one is within; without a
// count. Its bounds are computed, also where they are the same ones: they have to be
// those of its neighbors, to the last bit.
func (n NativeBucket) in(schema int) NativeBucket {
	_, far := n.exponents()
	per := math.Exp2(float64(schema)) // buckets to a power of two
	const noise = 1e-6                // of a bucket: narrower ones end at a share of it
	index := math.Ceil(far*per - noise)
	bounds := NativeBucket{Lower: math.Exp2((index - 1) / per), Upper: math.Exp2(index / per)}
	if n.Lower < 0 {
		bounds.Lower, bounds.Upper = -bounds.Upper, -bounds.Lower
	}
	return bounds
}
