// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"math/rand/v2"
	"testing"
)

// busyStates are random levels beside an exempt one that is often busy, by seed.
func busyStates(seed uint64) (random *rand.Rand, states []State) {
	server, _, states := randomStates(seed)
	random = rand.New(rand.NewPCG(seed, 11))
	states[0].High = random.IntN(1 + []int{0, server / 10, server, 2 * server}[random.IntN(4)])
	return random, states
}

// TestReachableIsNotExceeded: whatever is wanted, no level is given seats that it
// wants beyond what is within reach.
func TestReachableIsNotExceeded(t *testing.T) {
	for seed := range uint64(cases) {
		_, states := busyStates(seed)
		a, pool := Adjust(states), PoolOf(states)
		if a.Held {
			continue
		}
		for i, s := range states {
			if most := pool.Reachable(s.Bounds); !s.Exempt && min(a.Current[i], s.High) > most {
				t.Fatalf("seed %d, level %d: given %d, of %d within reach: %+v", seed, i, a.Current[i], most, states)
			}
		}
	}
}

// TestReachableIsReached by a level that wants all there is, beside others that want
// nothing. Each of the three cases is met.
func TestReachableIsReached(t *testing.T) {
	var minimum, left, lent int
	for seed := range uint64(cases) {
		random, states := busyStates(seed)
		one := 1 + random.IntN(len(states)-1)
		for i := range states {
			if !states[i].Exempt {
				states[i].Demand = Demand{}
			}
		}
		states[one].Demand = Demand{High: 1 << 40, Smoothed: 1 << 40}
		a, most := Adjust(states), PoolOf(states).Reachable(states[one].Bounds)
		if a.Held {
			continue
		}
		if a.Current[one] != most {
			t.Fatalf("seed %d, level %d: given %d, of %d within reach: %+v", seed, one, a.Current[one], most, states)
		}
		switch s := states[one]; {
		case most > s.Nominal:
			lent++
		case most < s.Nominal && most > s.Min:
			left++
		case most < s.Nominal:
			minimum++
		}
	}
	if min(minimum, left, lent) < cases/50 {
		t.Fatalf("met %d times the minimum, %d times what is left and %d times what is lent", minimum, left, lent)
	}
}

// TestReclaimedIsGiven to a level that wants its nominal seats, and no more than that
// where exempt levels leave less.
func TestReclaimedIsGiven(t *testing.T) {
	less := 0
	for seed := range uint64(cases) {
		random, states := busyStates(seed)
		one := 1 + random.IntN(len(states)-1)
		pool := PoolOf(states)
		reclaimed := pool.Reclaimed(states[one])
		states[one].High = states[one].Nominal + random.IntN(100)
		states[one].Smoothed = float64(states[one].High)
		a := Adjust(states)
		if a.Held {
			continue
		}
		if a.Current[one] < reclaimed {
			t.Fatalf("seed %d, level %d: given %d, of %d to be reclaimed: %+v", seed, one, a.Current[one], reclaimed, states)
		}
		if reclaimed == states[one].Nominal {
			continue
		}
		less++
		if a.Current[one] != reclaimed || !pool.Crowded() {
			t.Fatalf("seed %d, level %d: given %d, want %d: %+v", seed, one, a.Current[one], reclaimed, states)
		}
	}
	if less < cases/20 {
		t.Fatalf("less than nominal was reclaimed %d times", less)
	}
}
