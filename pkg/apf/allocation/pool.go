// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import "math"

// Pool is what the levels of one kube-apiserver share: what any of them can be given
// depends on the others through these sums only.
type Pool struct {
	// nominal seats of all levels.
	nominal int
	// limited and lower are the nominal and the minimum seats of the limited levels,
	// kept is what they do not lend.
	limited, lower, kept int
	// exempt is what exempt levels keep. It is taken off before it is decided whether
	// the others get anything above their minimum (apf_controller.go
	// updateBorrowingLocked, remainingServerCL).
	exempt int
}

// PoolOf levels. Of their demand, only the highest counts.
func PoolOf(levels []State) Pool {
	var p Pool
	for _, l := range levels {
		p.nominal += l.Nominal
		if l.Exempt {
			p.exempt += l.keeps()
			continue
		}
		p.limited += l.Nominal
		p.lower += l.Min
		p.kept += l.keeps()
	}
	return p
}

// Crowded says that exempt levels keep more than their own nominal seats: the others
// have less than theirs.
func (p Pool) Crowded() bool { return p.nominal-p.exempt < p.limited }

// Reclaimed is what a limited level of the pool is given at least when it wants all of
// its nominal seats, and the other levels want what they do. It is less than nominal
// only in a crowded pool: there, what is left above the minimum of all is divided in
// proportion to what each keeps.
func (p Pool) Reclaimed(s State) int {
	kept := p.kept - s.keeps() + s.Nominal
	switch left := p.nominal - p.exempt; {
	case left >= kept:
		return s.Nominal
	case left <= p.lower:
		return s.Min
	default:
		part := float64(left-p.lower) / float64(kept-p.lower)
		return s.Min + int(math.Round(float64(s.Nominal-s.Min)*part))
	}
}

// Reachable is what a limited level is given that wants more than there is, while the
// other limited ones want no more than their minimum. Where exempt levels leave no
// more than the minimum of the others and its own nominal seats, it gets what they
// leave; as soon as they leave more, all that others lend, for then the nominal seats
// of all are divided as if nobody were exempt.
//
// A level that wanted less than this in the last period, and much more before, can be
// given more than this for the next one.
func (p Pool) Reachable(b Bounds) int {
	others := p.lower - b.Min
	switch left := p.nominal - p.exempt; {
	case left <= p.lower:
		return b.Min
	case left <= others+b.Nominal:
		return left - others
	default:
		return min(b.Max, p.nominal-others)
	}
}
