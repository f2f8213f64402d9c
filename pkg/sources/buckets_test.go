// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var inf = math.Inf(1)

func TestQuantile(t *testing.T) {
	latencies := Buckets{Bounds: []float64{0.1, 1, 5, inf}, Counts: []float64{10, 10, 30, 40}}
	for _, test := range []struct {
		name         string
		buckets      Buckets
		q            float64
		want         float64
		lower, upper float64
		known        bool
	}{
		{"first bucket from zero", latencies, 0.125, 0.05, 0, 0.1, true},
		{"at a bound", latencies, 0.25, 0.1, 0, 0.1, true},
		{"over an empty bucket", latencies, 0.5, 3, 1, 5, true},
		{"beyond the last bound", latencies, 0.99, 5, 5, inf, true},
		{"lowest", latencies, 0, 0, 0, 0.1, true},
		{"highest", latencies, 1, 5, 5, inf, true},
		{"first bound negative", Buckets{Bounds: []float64{-2, 1, inf}, Counts: []float64{5, 10, 10}}, 0.1, -2, -inf, -2, true},
		{"first bound zero", Buckets{Bounds: []float64{0, 1, inf}, Counts: []float64{5, 10, 10}}, 0.1, 0, -inf, 0, true},
		{"second bucket after a negative bound", Buckets{Bounds: []float64{-2, 1, inf}, Counts: []float64{5, 10, 10}}, 0.75, -0.5, -2, 1, true},
		{"no observations", Buckets{Bounds: []float64{1, inf}, Counts: []float64{0, 0}}, 0.5, math.NaN(), 0, 0, false},
		{"no finite bucket", Buckets{Bounds: []float64{inf}, Counts: []float64{3}}, 0.5, math.NaN(), 0, inf, true},
		{"nothing", Buckets{}, 0.5, math.NaN(), 0, 0, false},
		{"counts are not a number", Buckets{Bounds: []float64{1, inf}, Counts: []float64{math.NaN(), math.NaN()}}, 0.5, math.NaN(), 0, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.buckets.Quantile(test.q); !cmp.Equal(got, test.want, cmpopts.EquateNaNs()) {
				t.Errorf("Quantile(%v) = %v, want %v", test.q, got, test.want)
			}
			lower, upper, known := test.buckets.Bucket(test.q)
			if lower != test.lower || upper != test.upper || known != test.known {
				t.Errorf("Bucket(%v) = %v, %v, %v, want %v, %v, %v", test.q, lower, upper, known, test.lower, test.upper, test.known)
			}
		})
	}
	for q, want := range map[float64]float64{-0.1: -inf, 1.1: inf} {
		if got := latencies.Quantile(q); got != want {
			t.Errorf("Quantile(%v) = %v, want %v", q, got, want)
		}
	}
	if got := latencies.Quantile(math.NaN()); !math.IsNaN(got) {
		t.Errorf("Quantile(NaN) = %v", got)
	}
}

func TestAtMost(t *testing.T) {
	b := Buckets{Bounds: []float64{0.1, 1, inf}, Counts: []float64{3, 5, 8}}
	for _, test := range []struct {
		bound, count float64
		known        bool
	}{{0.1, 3, true}, {1, 5, true}, {inf, 8, true}, {0.5, 0, false}, {5, 0, false}, {0, 0, false}} {
		if count, known := b.AtMost(test.bound); count != test.count || known != test.known {
			t.Errorf("AtMost(%v) = %v, %v, want %v, %v", test.bound, count, known, test.count, test.known)
		}
	}
	if got := b.Count(); got != 8 {
		t.Errorf("Count() = %v, want 8", got)
	}
	if got := (&Buckets{}).Count(); got != 0 {
		t.Errorf("Count() of nothing = %v", got)
	}
}

func TestAdd(t *testing.T) {
	a := &Buckets{Bounds: []float64{0.1, 1, 5, inf}, Counts: []float64{1, 2, 3, 4}, Sum: 10}
	b := &Buckets{Bounds: []float64{0.5, 1, inf}, Counts: []float64{10, 20, 40}, Sum: 0.5}
	want := &Buckets{Bounds: []float64{1, inf}, Counts: []float64{22, 44}, Sum: 10.5}
	if diff := cmp.Diff(want, a.Add(b)); diff != "" {
		t.Error(diff)
	}
	b.Sum = math.NaN()
	if got := a.Add(b).Sum; !math.IsNaN(got) {
		t.Errorf("a known and an unknown sum make %v", got)
	}
}

func TestEnsureMonotonic(t *testing.T) {
	b := &Buckets{Bounds: []float64{1, 2, 3, inf}, Counts: []float64{5, 4, 7, 6}, Sum: 3}
	want := &Buckets{Bounds: []float64{1, 2, 3, inf}, Counts: []float64{5, 5, 7, 7}, Sum: 3}
	if diff := cmp.Diff(want, b.EnsureMonotonic()); diff != "" {
		t.Error(diff)
	}
	if b.Counts[1] != 4 {
		t.Error("EnsureMonotonic changed its input")
	}
}

// TestProperties tries what holds for every histogram on 2,000 of them.
func TestProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		a, b := randomBuckets(random), randomBuckets(random)
		p, q := random.Float64(), random.Float64()
		if p > q {
			p, q = q, p
		}
		if a.Quantile(p) > a.Quantile(q) {
			t.Fatalf("case %d: quantile %v is over quantile %v of %+v", i, p, q, a)
		}
		if lower, upper, known := a.Bucket(q); known {
			if v := a.Quantile(q); v < lower || v > upper {
				t.Fatalf("case %d: quantile %v of %+v is not within its bucket %v..%v", i, q, a, lower, upper)
			}
			// What the verdict rests on: the quantile holds a bound exactly when the
			// share of observations at that bound does.
			count, _ := a.AtMost(upper)
			if count < q*a.Count() {
				t.Fatalf("case %d: %v of %v observations are at most %v, too few for quantile %v", i, count, a.Count(), upper, q)
			}
		}
		if diff := cmp.Diff(a.Add(b), b.Add(a)); diff != "" {
			t.Fatalf("case %d: the order of a sum matters: %s", i, diff)
		}
		if got, want := a.Add(b).Count(), a.Count()+b.Count(); got != want {
			t.Fatalf("case %d: a sum has %v observations, want %v", i, got, want)
		}
		if diff := cmp.Diff(a, a.EnsureMonotonic()); diff != "" {
			t.Fatalf("case %d: a histogram in order was changed: %s", i, diff)
		}
		slices.Reverse(a.Counts)
		if fixed := a.EnsureMonotonic(); !slices.IsSorted(fixed.Counts) {
			t.Fatalf("case %d: counts still fall: %v", i, fixed.Counts)
		}
	}
}

// randomBuckets has integer counts, so that sums of them are exact, and bounds that
// two of them often share.
func randomBuckets(random *rand.Rand) *Buckets {
	b := &Buckets{Sum: float64(random.IntN(100))}
	count := 0
	for _, bound := range []float64{0.005, 0.1, 0.5, 1, 5, 30, inf} {
		count += random.IntN(3) * random.IntN(50)
		if random.IntN(3) > 0 || bound == inf {
			b.Bounds = append(b.Bounds, bound)
			b.Counts = append(b.Counts, float64(count))
		}
	}
	return b
}
