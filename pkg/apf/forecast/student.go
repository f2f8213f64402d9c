// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import "math"

// studentQuantile returns the value that Student's t with the degrees of freedom,
// which need be no whole number but at least 1, is under with the probability, which
// is over one half and less than one.
//
// With t = sqrt(degrees) tan(angle), the density of t becomes cos(angle)^(degrees-1)
// but for a factor (the substitution of Abramowitz and Stegun 26.7.3 and 26.7.4), and
// the factor is 1/B(1/2, degrees/2). The angle is found by Newton's method from zero:
// the integral of a falling function is concave, so that each step ends short of the
// answer or at it, and none can leave the interval. Integrals are taken over one step
// at a time, by Simpson's rule.
func studentQuantile(probability, degrees float64) float64 {
	density := func(angle float64) float64 { return math.Pow(math.Cos(angle), degrees-1) }
	half, _ := math.Lgamma(0.5)
	mine, _ := math.Lgamma(degrees / 2)
	both, _ := math.Lgamma((degrees + 1) / 2)
	left := (probability - 0.5) * math.Exp(half+mine-both)

	// It takes about six steps; where rounding keeps the last ones from being short,
	// the bound ends it.
	const steps, short = 50, 1e-12
	angle := 0.0
	for range steps {
		step := left / density(angle)
		left -= simpson(density, angle, angle+step)
		if angle += step; step < short*angle {
			break
		}
	}
	return math.Sqrt(degrees) * math.Tan(angle)
}

// simpson integrates a smooth function.
func simpson(f func(float64) float64, from, to float64) float64 {
	const intervals = 32
	width := (to - from) / intervals
	sum := f(from) + f(to)
	for i := 1; i < intervals; i++ {
		sum += f(from+float64(i)*width) * float64(2+2*(i%2))
	}
	return sum * width / 3
}
