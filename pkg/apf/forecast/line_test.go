// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A textbook line: y of 1, 3, 2, 5, 4 has a slope of 0.8 and residuals of squares 3.6.
func TestFit(t *testing.T) {
	l := fit([]point{{-40, 1}, {-30, 3}, {-20, 2}, {-10, 5}, {0, 4}})
	if l.meanAt != -20 || l.meanSeats != 3 || math.Abs(l.slope-0.08) > 1e-12 {
		t.Errorf("got %+v", l)
	}
	// Residuals that alternate do not make more points of five.
	if l.independent != 5 || math.Abs(l.variance-3.6/3) > 1e-12 || math.Abs(l.spread-1000) > 1e-9 {
		t.Errorf("got %+v", l)
	}
}

// Residuals of lines through noise of a known autocorrelation: the corrected one is off
// by 58% at most of what the plain one is off by.
func TestIndependent(t *testing.T) {
	const lines = 20_000
	for _, n := range []int{10, 20, 40} {
		for _, truth := range []float64{0, 0.3, 0.6} {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			var plain, corrected float64
			for range lines {
				points := make([]point, n)
				noise := random.NormFloat64() / math.Sqrt(1-truth*truth)
				for i := range points {
					noise = truth*noise + random.NormFloat64()
					points[i] = point{float64(i), noise}
				}
				l := fit(points)
				residuals := make([]float64, n)
				var sum float64
				for i, p := range points {
					residuals[i] = p.seats - l.meanSeats - l.slope*(p.at-l.meanAt)
					sum += residuals[i] * residuals[i]
				}
				r := correlation(residuals, sum)
				corrected += r / lines
				plain += (r - 2/float64(n)) / (1 + 4/float64(n)) / lines
			}
			t.Logf("%d points, autocorrelation %g: plain %.3f, corrected %.3f", n, truth, plain, corrected)
			if math.Abs(corrected-truth) > 0.6*math.Abs(plain-truth) {
				t.Errorf("%d points: %.3f instead of %g, without correction %.3f", n, corrected, truth, plain)
			}
		}
	}
}

// With independent normal residuals the interval of the line is Fieller's: its end is at
// the right distance as often as the probability says.
func TestPassageOfKnownLines(t *testing.T) {
	const lines = 20_000
	random := rand.New(rand.NewPCG(1, 1))
	var late, early int
	for range lines {
		points := make([]point, 12)
		for i := range points {
			points[i] = point{float64(i - 11), 50 + 2*float64(i-11) + random.NormFloat64()}
		}
		l := fit(points)
		// What the correlation takes away is another matter.
		l.variance *= l.degrees() / 10 * 12 / l.independent
		l.spread *= 12 / l.independent
		l.independent = 12
		// The line is at 80 after 15.
		first, likely, last, significant := l.passage(80, studentQuantile(0.95, 10))
		if !significant || !(first < likely && likely < last) {
			t.Fatalf("passage %g %g %g, significant %t", first, likely, last, significant)
		}
		if last < 15 {
			late++
		}
		// A single new value at first is over 80 in one of twenty.
		if 50+2*first+random.NormFloat64() > 80 {
			early++
		}
	}
	for what, n := range map[string]int{"late": late, "early": early} {
		if share := float64(n) / lines; math.Abs(share-0.05) > 0.005 {
			t.Errorf("%s: %.4f instead of 0.05", what, share)
		}
	}
}
