// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
)

// Of the tables that every textbook has (Abramowitz and Stegun, table 26.10), and for
// 1, 2 and 4 degrees of freedom of the closed forms.
func TestStudentQuantile(t *testing.T) {
	for _, c := range []struct{ probability, degrees, want float64 }{
		{0.95, 1, math.Tan(math.Pi * 0.45)},
		{0.99, 1, math.Tan(math.Pi * 0.49)},
		{0.95, 2, 0.9 * math.Sqrt(2/(4*0.95*0.05))},
		{0.995, 2, 0.99 * math.Sqrt(2/(4*0.995*0.005))},
		{0.95, 3, 2.353},
		{0.95, 4, 2.132},
		{0.95, 5, 2.015},
		{0.975, 5, 2.571},
		{0.995, 5, 4.032},
		{0.95, 10, 1.812},
		{0.95, 30, 1.697},
		{0.975, 60, 2.000},
		{0.95, 120, 1.658},
		{0.95, 1e6, 1.645},
	} {
		if got := studentQuantile(c.probability, c.degrees); math.Abs(got-c.want) > 0.0005 {
			t.Errorf("%g with %g degrees of freedom: got %.4f, want %.4f", c.probability, c.degrees, got, c.want)
		}
	}
}

// Between whole degrees of freedom the quantile falls, without a jump.
func TestStudentQuantileOfFractions(t *testing.T) {
	before := studentQuantile(0.95, 1)
	for degrees := 1.01; degrees < 40; degrees += 0.01 {
		now := studentQuantile(0.95, degrees)
		if !(now < before) || before-now > 0.11 {
			t.Fatalf("%.2f degrees of freedom: %g after %g", degrees, now, before)
		}
		before = now
	}
}
