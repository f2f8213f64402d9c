// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cases is the number of random cases per property.
const cases = 5000

// TestDefaults has the levels that a cluster is born with (apiserver
// pkg/apis/flowcontrol/bootstrap), at the default limit of 600.
func TestDefaults(t *testing.T) {
	levels := []Level{
		{Exempt: true},                     // exempt
		{Shares: 30, LendablePercent: 33},  // system
		{Shares: 40, LendablePercent: 25},  // node-high
		{Shares: 10},                       // leader-election
		{Shares: 40, LendablePercent: 50},  // workload-high
		{Shares: 100, LendablePercent: 90}, // workload-low
		{Shares: 20, LendablePercent: 50},  // global-default
		{Shares: 5},                        // catch-all
	}
	bounds, err := Configure(600, levels)
	if err != nil {
		t.Fatal(err)
	}
	want := []Bounds{
		{0, 0, 600}, {74, 50, 674}, {98, 73, 698}, {25, 25, 625}, {98, 49, 698}, {245, 24, 845}, {49, 24, 649}, {13, 13, 613},
	}
	if diff := cmp.Diff(want, bounds); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	// Nobody wants anything: what is lendable is divided evenly among those below.
	states := make([]State, len(levels))
	for i := range states {
		states[i] = State{Bounds: bounds[i], Exempt: levels[i].Exempt}
	}
	idle := Adjust(states)
	for i, s := range states {
		if s.Server() != 600 {
			t.Errorf("level %d: server limit %d", i, s.Server())
		}
		if !s.Exempt && idle.Current[i] < s.Min {
			t.Errorf("level %d: idle limit %d is below its minimum", i, idle.Current[i])
		}
	}
	// All of workload-low is wanted, and more: it borrows what the others lend.
	states[5].High, states[5].Smoothed = 5000, 5000
	if got, most := Adjust(states).Current[5], PoolOf(states).Reachable(bounds[5]); got != most || most != 368 {
		t.Errorf("workload-low gets %d of %d within reach, want 368", got, most)
	}
}

func TestConfigureRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		serverLimit int
		level       Level
	}{
		"no server limit":     {0, Level{Shares: 1}},
		"huge server limit":   {MaxServerLimit + 1, Level{Shares: 1}},
		"no shares":           {600, Level{}},
		"negative shares":     {600, Level{Shares: -1}},
		"lends too much":      {600, Level{Shares: 1, LendablePercent: 101}},
		"lends less than 0":   {600, Level{Shares: 1, LendablePercent: -1}},
		"borrows less than 0": {600, Level{Shares: 1, BorrowingLimitPercent: new(int32(-1))}},
		"exempt with a limit": {600, Level{Shares: 1, Exempt: true, BorrowingLimitPercent: new(int32(1))}},
	} {
		if _, err := Configure(c.serverLimit, []Level{c.level}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// randomStates are levels after a configuration, with some demand.
func randomStates(seed uint64) (int, []Level, []State) {
	w := newWorld(seed)
	w.shuffle(int(seed))
	bounds, err := Configure(w.serverLimit, w.levels)
	if err != nil {
		panic(err)
	}
	states := make([]State, len(bounds))
	for i, b := range bounds {
		high := w.random.IntN(2*w.serverLimit + 1)
		if w.random.IntN(2) == 0 {
			high = w.random.IntN(3)
		}
		if i == 0 {
			high = w.random.IntN(1 + w.serverLimit/10)
		}
		states[i] = State{Bounds: b, Exempt: w.levels[i].Exempt, Current: b.First(),
			Demand: Demand{High: high, Smoothed: w.random.Float64() * float64(high)}}
	}
	return w.serverLimit, w.levels, states
}

func TestBoundsAreInOrder(t *testing.T) {
	for seed := range uint64(cases) {
		server, levels, states := randomStates(seed)
		sum := 0
		for i, s := range states {
			sum += s.Nominal
			if s.Min < 0 || s.Min > s.First() || s.First() > s.Nominal || s.Nominal > s.Max {
				t.Fatalf("seed %d, level %d: %+v starts with %d", seed, i, s.Bounds, s.First())
			}
			if (levels[i].Shares == 0) != (s.Nominal == 0) {
				t.Fatalf("seed %d, level %d: %d shares are %d seats", seed, i, levels[i].Shares, s.Nominal)
			}
		}
		if sum < server || sum >= server+len(levels) {
			t.Fatalf("seed %d: nominal limits add up to %d of %d", seed, sum, server)
		}
	}
}

// TestAdjustKeepsItsBounds: nobody gets less than the minimum or more than the
// maximum, and what is divided is the sum of the nominal limits.
func TestAdjustKeepsItsBounds(t *testing.T) {
	divided := 0
	for seed := range uint64(cases) {
		_, _, states := randomStates(seed)
		a := Adjust(states)
		nominal, given := 0, 0
		for i, s := range states {
			nominal += s.Nominal
			if a.Current[i] < s.Min {
				t.Fatalf("seed %d, level %d: %d is below the minimum of %+v", seed, i, a.Current[i], s)
			}
			if s.Exempt {
				continue
			}
			given += a.Current[i]
			if !a.Held && a.Current[i] > s.Max {
				t.Fatalf("seed %d, level %d: %d is beyond the maximum of %+v", seed, i, a.Current[i], s)
			}
		}
		if a.FairFraction == 0 {
			continue
		}
		divided++
		if math.Abs(float64(given-nominal)) > float64(len(states))/2 {
			t.Fatalf("seed %d: %d of %d seats were divided", seed, given, nominal)
		}
	}
	if divided < cases/4 {
		t.Fatalf("only %d cases were divided", divided)
	}
}

// TestLimitsAreNotHeldBesideCatchAll: it has no borrowing limit, and can take what
// nobody else may. Without it they are, where nobody may borrow.
func TestLimitsAreNotHeldBesideCatchAll(t *testing.T) {
	held := 0
	for seed := range uint64(cases) {
		server, levels, states := randomStates(seed)
		for _, borrows := range []bool{false, true} {
			levels[1].BorrowingLimitPercent = new(int32(0))
			if borrows {
				levels[1].BorrowingLimitPercent = nil
			}
			bounds, err := Configure(server, levels)
			if err != nil {
				t.Fatal(err)
			}
			for i := range states {
				states[i].Bounds = bounds[i]
			}
			switch a := Adjust(states); {
			case a.Held && borrows:
				t.Fatalf("seed %d: limits are held although catch-all may borrow: %+v", seed, states)
			case a.Held:
				held++
			}
		}
	}
	if held < cases/100 {
		t.Fatalf("limits were held %d times without it", held)
	}
}

// TestDivisionIsFair: who is at no bound gets the same fraction of the target,
// who gets a larger one is held up by the lower bound, who gets a smaller one is
// held down by the upper bound.
func TestDivisionIsFair(t *testing.T) {
	for seed := range uint64(cases) {
		random := rand.New(rand.NewPCG(seed, 9))
		var claims []claim
		var lows, highs float64
		for range 1 + random.IntN(8) {
			c := claim{low: float64(random.IntN(50))}
			c.target = max(minTarget, c.low+random.Float64()*float64(random.IntN(100)))
			c.high = c.low + float64(random.IntN(200))
			claims, lows, highs = append(claims, c), lows+c.low, highs+c.high
		}
		sum := lows + math.Floor(random.Float64()*(highs-lows+1))
		shares, fraction, short := divide(sum, claims)
		if short {
			t.Fatalf("seed %d: short of %v", seed, sum)
		}
		var given float64
		for i, c := range claims {
			given += shares[i]
			const tolerance = 1e-6
			even := fraction * c.target
			switch {
			case math.Abs(shares[i]-even) < tolerance:
			case math.Abs(shares[i]-c.low) < tolerance && c.low > even:
			case math.Abs(shares[i]-c.high) < tolerance && c.high < even:
			default:
				t.Fatalf("seed %d: claim %+v got %v at fraction %v", seed, c, shares[i], fraction)
			}
		}
		if math.Abs(given-sum) > 1e-6 {
			t.Fatalf("seed %d: %v of %v was divided", seed, given, sum)
		}
		if _, _, short := divide(highs+1, claims); !short {
			t.Fatalf("seed %d: more than the upper bounds was divided", seed)
		}
	}
}

// TestOrderOfLevelsDoesNotMatter, but for shares halfway between two seats.
func TestOrderOfLevelsDoesNotMatter(t *testing.T) {
	for seed := range uint64(cases) {
		_, _, states := randomStates(seed)
		before := Adjust(states)
		slices.Reverse(states)
		after := Adjust(states)
		slices.Reverse(after.Current)
		slices.Reverse(states)
		for i, s := range states {
			if before.Current[i] != after.Current[i] && !halfway(s.claim().at(before.FairFraction)) {
				t.Fatalf("seed %d, level %d: %d and then %d", seed, i, before.Current[i], after.Current[i])
			}
		}
	}
}
