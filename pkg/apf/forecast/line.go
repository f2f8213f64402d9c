// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import "math"

// point is a sample relative to the newest one: the time in seconds, not positive.
type point struct{ at, seats float64 }

// line is the least squares line through points, and how far it is to be trusted.
type line struct {
	// meanAt and meanSeats are the point through which the line goes.
	meanAt, meanSeats float64
	// slope in seats per second.
	slope float64
	// independent is the number of independent points that tell as much.
	independent float64
	// spread of the times about their mean, in square seconds, of the independent points.
	spread float64
	// variance of a single value about the line, in square seats.
	variance float64
}

// degrees of freedom that are left for the variance once a line has been fitted.
func (l line) degrees() float64 { return l.independent - 2 }

// leastIndependent points leave one degree of freedom: less is no estimate of a
// variance. It is what a line through strongly correlated residuals gets, and asks
// for a fit of R^2 > 0.975, which a step (0.75 at best) does not reach.
const leastIndependent = 3

// fit the line through at least three points of different times.
func fit(points []point) line {
	n := float64(len(points))
	var l line
	for _, p := range points {
		l.meanAt += p.at / n
		l.meanSeats += p.seats / n
	}
	var squares, products float64
	for _, p := range points {
		squares += (p.at - l.meanAt) * (p.at - l.meanAt)
		products += (p.at - l.meanAt) * (p.seats - l.meanSeats)
	}
	l.slope = products / squares
	residuals := make([]float64, len(points))
	var sum float64
	for i, p := range points {
		residuals[i] = p.seats - l.meanSeats - l.slope*(p.at-l.meanAt)
		sum += residuals[i] * residuals[i]
	}
	l.independent = independent(residuals, sum)
	l.spread = squares * l.independent / n
	l.variance = sum * l.independent / n / l.degrees()
	return l
}

// independent returns how many independent residuals tell as much about a mean or a
// trend as these, whose squares add up to sum: n (1-r)/(1+r) for a lag-1
// autocorrelation of r, after Santer et al., Statistical significance of trends and
// trend differences in layer-average atmospheric temperature time series, J. Geophys.
// Res. 105 (2000). The residuals of a line show too low an r, by 2(1+2r)/n to first
// order: it is corrected by that (TestIndependent has what is left).
func independent(residuals []float64, sum float64) float64 {
	n := float64(len(residuals))
	if sum == 0 {
		return n
	}
	r := min(max(correlation(residuals, sum), 0), 1)
	return max(n*(1-r)/(1+r), leastIndependent)
}

// correlation of residuals with the one before, for independent.
func correlation(residuals []float64, sum float64) float64 {
	var products float64
	for i := 1; i < len(residuals); i++ {
		products += residuals[i] * residuals[i-1]
	}
	r := products / sum
	return r + 2*(1+2*r)/float64(len(residuals))
}

// passage returns when values about the line first reach a number of seats, in seconds
// after the newest sample: when the line is there, and how early and how late that may
// be, with bounds that are deviations standard deviations away. There are none when the
// slope is not significant by as much.
//
// One value that is far over the line is enough to be there early: first is of a single
// new value. That none has been there when the line itself is takes many: last is of
// the line.
func (l line) passage(seats, deviations float64) (first, likely, last float64, significant bool) {
	above := seats - l.meanSeats
	q := deviations * deviations * l.variance
	// Fieller's interval for inverse prediction: (slope t - above)^2 =
	// q (own + 1/independent + t^2/spread), for t after meanAt, with own of 1 for a single
	// new value and 0 for the line. a > 0 is the test whether the slope is significant.
	a := l.slope*l.slope - q/l.spread
	if !(a > 0) {
		return 0, 0, 0, false
	}
	root := func(own float64) float64 {
		return math.Sqrt(q * (a*(own+1/l.independent) + above*above/l.spread))
	}
	return l.meanAt + (l.slope*above-root(1))/a, l.meanAt + above/l.slope, l.meanAt + (l.slope*above+root(0))/a, true
}
