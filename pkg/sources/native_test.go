// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFromNative(t *testing.T) {
	for _, test := range []struct {
		name           string
		buckets        []NativeBucket
		custom         bool
		bounds, counts []float64
	}{
		{"nothing", nil, false, []float64{inf}, []float64{0}},
		{"out of order, with a gap", []NativeBucket{{4, 8, 2}, {1, 2, 3}}, false, []float64{1, 2, 4, 8, inf}, []float64{0, 3, 3, 5, 5}},
		{"neighbors", []NativeBucket{{1, 2, 3}, {2, 4, 2}}, false, []float64{1, 2, 4, inf}, []float64{0, 3, 5, 5}},
		{"zero bucket below others", []NativeBucket{{-0.1, 0.1, 1}, {1, 2, 3}}, false, []float64{0, 0.1, 1, 2, inf}, []float64{0, 1, 1, 4, 4}},
		{"zero bucket above others", []NativeBucket{{-0.1, 0.1, 1}, {-2, -1, 3}}, false, []float64{-2, -1, -0.1, 0, inf}, []float64{0, 3, 3, 4, 4}},
		{"zero bucket alone", []NativeBucket{{-0.1, 0.1, 1}}, false, []float64{-0.1, 0.1, inf}, []float64{0, 1, 1}},
		{"zero alone", []NativeBucket{{0, 0, 1}, {1, 2, 3}}, false, []float64{0, 1, 2, inf}, []float64{1, 1, 4, 4}},
		{"first custom bucket", []NativeBucket{{-inf, 0.05, 2}, {5, 10, 1}}, true, []float64{0, 0.05, 5, 10, inf}, []float64{0, 2, 2, 3, 3}},
		{"first custom bucket up to zero", []NativeBucket{{-inf, 0, 2}}, true, []float64{0, inf}, []float64{2, 2}},
		{"last custom bucket", []NativeBucket{{60, inf, 2}}, true, []float64{60, inf}, []float64{0, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := &Buckets{Native: true, Custom: test.custom, Bounds: test.bounds, Counts: test.counts, Sum: 1}
			if diff := cmp.Diff(want, FromNative(test.buckets, test.custom, 1)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is between two buckets that hold something is known, and what is within is not.
func TestAtMostOfNative(t *testing.T) {
	b := FromNative([]NativeBucket{{1, 2, 3}, {8, 16, 4}}, false, 0)
	for _, test := range []struct {
		bound, count float64
		known        bool
	}{{0.5, 0, true}, {1, 0, true}, {1.5, 0, false}, {2, 3, true}, {5, 3, true}, {8, 3, true}, {10, 0, false}, {30, 7, true}, {inf, 7, true}} {
		if count, known := b.AtMost(test.bound); count != test.count || known != test.known {
			t.Errorf("AtMost(%v) = %v, %v, want %v, %v", test.bound, count, known, test.count, test.known)
		}
	}
}

func TestAddNative(t *testing.T) {
	root := math.Sqrt2
	exponential := FromNative([]NativeBucket{{1, root, 3}, {root, 2, 1}, {8, 8 * root, 4}}, false, 1)
	custom := FromNative([]NativeBucket{{1, 5, 7}}, true, 2)
	classic := &Buckets{Bounds: []float64{0.1, 1, 5, 10, inf}, Counts: []float64{1, 2, 3, 4, 4}, Sum: 3}
	for _, test := range []struct {
		name       string
		a, b, want *Buckets
	}{
		{"the lowest resolution", exponential, FromNative([]NativeBucket{{2, 4, 1}}, false, 2),
			FromNative([]NativeBucket{{1, 2, 4}, {2, 4, 1}, {8, 16, 4}}, false, 3)},
		{"below zero", FromNative([]NativeBucket{{-root, -1, 2}}, false, 0), FromNative([]NativeBucket{{-4, -2, 1}}, false, 0),
			FromNative([]NativeBucket{{-4, -2, 1}, {-2, -1, 2}}, false, 0)},
		{"zero buckets", FromNative([]NativeBucket{{-0.1, 0.1, 1}}, false, 0), FromNative([]NativeBucket{{-0.1, 0.1, 2}, {1, 2, 1}}, false, 0),
			FromNative([]NativeBucket{{-0.1, 0.1, 3}, {1, 2, 1}}, false, 0)},
		{"custom bounds in common", custom, FromNative([]NativeBucket{{-inf, 1, 2}, {1, 2, 3}, {5, 10, 1}}, true, 2),
			FromNative([]NativeBucket{{-inf, 1, 2}, {1, 5, 10}, {5, 10, 1}}, true, 4)},
		{"classic bounds that are known", exponential, classic, // 5 s is in a gap, 10 s within a bucket
			&Buckets{Bounds: []float64{0.1, 1, 5, inf}, Counts: []float64{1, 2, 7, 12}, Sum: 4}},
		{"custom bounds that are known", exponential, custom, &Buckets{Bounds: []float64{1, 5, inf}, Counts: []float64{0, 11, 15}, Sum: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, sum := range []*Buckets{test.a.Add(test.b), test.b.Add(test.a)} {
				if diff := cmp.Diff(test.want, sum, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestNativeProperties tries what holds for every native histogram on 2,000 of them.
func TestNativeProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 23))
	for i := range 2000 {
		a, b := randomNative(random, i%2 == 0), randomNative(random, i%2 == 0)
		sum := a.Add(b)
		if diff := cmp.Diff(sum, b.Add(a), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Fatalf("case %d: the order of a sum matters: %s", i, diff)
		}
		if got, want := sum.Count(), a.Count()+b.Count(); got != want {
			t.Fatalf("case %d: a sum has %v observations, want %v", i, got, want)
		}
		q, below := random.Float64(), 0.0
		for bound := 0.001; bound < 100; bound *= 1.7 {
			got := a.Interpolated(bound)
			if exact, known := a.AtMost(bound); got < below || got > a.Count() || known && exact != got {
				t.Fatalf("case %d: %v within %v of %+v", i, got, bound, a)
			}
			below = got
		}
		lower, upper, known := a.Bucket(q)
		v := a.Quantile(q)
		if known != (a.Count() > 0) || known == math.IsNaN(v) || v < lower || v > upper {
			t.Fatalf("case %d: quantile %v of %+v is %v, within %v..%v", i, q, a, v, lower, upper)
		}
		// A quantile is the inverse of a share, but in the last custom bucket.
		if known && !math.IsInf(upper, 1) && math.Abs(a.Interpolated(v)-q*a.Count()) > 1e-9*a.Count() {
			t.Fatalf("case %d: %v of %v observations are within the quantile %v of %+v", i, a.Interpolated(v), a.Count(), q, a)
		}
	}
}

// randomNative has integer counts, so that sums of them are exact.
func randomNative(random *rand.Rand, custom bool) *Buckets {
	bounds := []float64{-inf, 0.005, 0.1, 0.5, 1, 5, 30, inf}
	if !custom {
		bounds = []float64{-1e-3, 1e-3}
		per := math.Exp2(float64(random.IntN(4)))
		for i := -6.0; i < 6; i += 1 / per {
			bounds = append(bounds, math.Exp2(i))
		}
	}
	var buckets []NativeBucket
	for i := 1; i < len(bounds); i++ {
		if custom || i != 2 { // between the zero bucket and the first one
			if n := random.IntN(3) * random.IntN(50); n > 0 {
				buckets = append(buckets, NativeBucket{bounds[i-1], bounds[i], float64(n)})
			}
		}
	}
	return FromNative(buckets, custom, 1)
}
