// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"slices"
	"sort"
)

// claim is what a level wants of a sum that is divided: in proportion to its
// target, but no less than low and no more than high. 0 <= low <= high,
// low <= target and minTarget <= target.
type claim struct {
	target, low, high float64
}

// minTarget stands for a target of nothing: what nobody wants is divided evenly
// (conc_alloc.go MinTarget).
const minTarget = 0.001

// at is what the claim gets at a fraction of its target.
func (c claim) at(fraction float64) float64 {
	return max(c.low, min(c.high, fraction*c.target))
}

// divide is water filling: it raises one fraction for all until what the claims
// get at it, each within its bounds, adds up to sum. short says that the upper
// bounds add up to less, and nothing is divided. The lower bounds may not add up
// to more.
func divide(sum float64, claims []claim) (shares []float64, fraction float64, short bool) {
	var lows, highs float64
	// The fractions at which a claim reaches its lower and its upper bound: what
	// the claims get in total bends there, and is a straight line in between.
	var bends []float64
	for _, c := range claims {
		lows += c.low
		highs += c.high
		bends = append(bends, c.low/c.target, c.high/c.target)
	}
	slices.Sort(bends)
	switch {
	case highs < sum:
		return nil, 0, true
	case lows == sum: // nothing is left to divide: the lowest fraction that says so
		fraction = bends[0]
	case highs == sum:
		fraction = bends[len(bends)-1]
	default:
		fraction = fill(sum, claims, bends)
	}
	shares = make([]float64, len(claims))
	for i, c := range claims {
		switch {
		case lows == sum:
			shares[i] = c.low
		case highs == sum:
			shares[i] = c.high
		default:
			shares[i] = c.at(fraction)
		}
	}
	return shares, fraction, false
}

// fill finds the fraction. lows < sum < highs, so that there is one.
func fill(sum float64, claims []claim, bends []float64) float64 {
	// The straight line on which the total passes the sum ends at this bend, and
	// begins at the one before. At the first bend all claims are at their low.
	end := sort.Search(len(bends)-1, func(i int) bool { return total(claims, bends[i]) >= sum })
	begin := bends[max(0, end-1)]
	// On it some claims are at a bound, and the others move together. The bends are
	// compared as they were computed: a product could miss its bound by a rounding.
	var fixed, moving float64
	for _, c := range claims {
		switch {
		case c.high/c.target <= begin:
			fixed += c.high
		case c.low/c.target >= bends[end]:
			fixed += c.low
		default:
			moving += c.target
		}
	}
	if moving == 0 { // only by rounding: the line has no length
		return bends[end]
	}
	return (sum - fixed) / moving
}

func total(claims []claim, fraction float64) float64 {
	var total float64
	for _, c := range claims {
		total += c.at(fraction)
	}
	return total
}
