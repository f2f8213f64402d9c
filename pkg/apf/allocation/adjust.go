// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import "math"

// Demand is what one level of one kube-apiserver asked for, in seats taken or
// waited for.
type Demand struct {
	// High is the most at any time since the last adjustment.
	High int
	// Smoothed is the demand that decays slowly: see Smooth.
	Smoothed float64
}

// decay leaves half of the smoothed demand after 30 adjustments, which are five
// minutes (apf_controller.go seatDemandSmoothingCoefficient).
const decay = 0.977

// Smooth returns the smoothed demand after a period of that average and standard
// deviation: it rises at once and falls slowly. A period of no length changes
// nothing and may not be given.
func Smooth(smoothed, average, deviation float64) float64 {
	envelope := average + deviation
	return max(envelope, decay*smoothed+(1-decay)*envelope)
}

// State is a level of one kube-apiserver at an adjustment.
type State struct {
	Bounds
	Exempt bool
	Demand
	// Current is the limit before the adjustment.
	Current int
}

// Adjustment is the outcome of Adjust.
type Adjustment struct {
	// Current are the limits in force until the next adjustment, in the order of
	// the levels.
	Current []int
	// FairFraction is the part of its target that a level gets which no bound
	// holds; 0 while the minimum of the levels does not fit.
	FairFraction float64
	// Held says that the limits stayed as they were, because the borrowing limits
	// let nobody take what is left over. The exempt ones are still adjusted. It is never
	// so while a limited level has no borrowing limit, as catch-all of every cluster.
	Held bool
}

// Adjust divides the sum of the nominal limits by demand, as is done every ten
// seconds. Each level keeps what it used of its nominal limit; what is left goes
// to all of them in proportion to their targets, within their bounds.
//
// Where a share lies halfway between two seats, the order of summation decides,
// which the kube-apiserver leaves to chance: there the answer may be one off.
func Adjust(levels []State) Adjustment {
	a := Adjustment{Current: make([]int, len(levels))}
	var all, remaining, minimum, kept int
	var claims []claim
	for i, l := range levels {
		all += l.Nominal
		if l.Exempt {
			a.Current[i] = l.keeps()
			remaining -= l.keeps()
			continue
		}
		minimum += l.Min
		kept += l.keeps()
		claims = append(claims, l.claim())
	}
	remaining += all
	var divided []float64
	if remaining > minimum && remaining > kept {
		divided, a.FairFraction, a.Held = divide(float64(all), claims)
	}
	next := 0
	for i, l := range levels {
		switch {
		case l.Exempt:
			continue
		case remaining <= minimum:
			a.Current[i] = l.Min
		case remaining <= kept:
			part := float64(remaining-minimum) / float64(kept-minimum)
			a.Current[i] = l.Min + int(math.Round(float64(l.keeps()-l.Min)*part))
		case a.Held:
			a.Current[i] = l.Current
		default:
			a.Current[i] = int(math.Round(divided[next]))
		}
		next++
	}
	return a
}

// keeps is what a level does not lend at this adjustment (KEP-1040 MinCurrentCL).
func (s State) keeps() int {
	if s.Exempt {
		return max(s.Min, s.High)
	}
	return max(s.Min, min(s.Nominal, s.High))
}

func (s State) claim() claim {
	return claim{
		target: max(minTarget, float64(s.keeps()), s.Smoothed),
		low:    float64(s.keeps()),
		high:   float64(s.Max),
	}
}
