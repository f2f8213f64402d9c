// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/util/flowcontrol/metrics"
)

// Each controller has one concurrency limit and is configured anew in each round.
const (
	controllers = 16
	rounds      = 12
)

// TestControllerAgrees changes the configuration and the demand of the real
// controller at random, and compares every limit that it sets with ours.
func TestControllerAgrees(t *testing.T) {
	metrics.Register()
	var tally tally
	for seed := range uint64(controllers) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(seed)
			c := startController(t, w.serverLimit, w.objects(1))
			for round := 1; round <= rounds; round++ {
				w.shuffle(round)
				if round > 1 {
					c.apply(t, w.objects(2*round-1)...)
				} else {
					w.revert()
					c.await(t, 1)
				}
				agree(t, w, c, round, &tally)
				before := c.adjustments()
				old, _, _ := c.observe()
				w.press(c)
				c.apply(t, w.objects(2 * round)[len(w.levels)-1])
				seen := agree(t, w, c, round, &tally)
				if c.adjustments() == before+1 {
					agreeOnSmoothing(t, old, seen, &tally)
				}
			}
		})
	}
	t.Logf("%+v", tally)
	if tally.limits < controllers*rounds*10 || tally.smoothed < controllers*rounds ||
		slices.Contains([]int{tally.minimum, tally.interpolated, tally.held, tally.divided}, 0) {
		t.Errorf("a case of the arithmetic was not met often enough")
	}
	if tally.halfway*100 > tally.limits {
		t.Errorf("%d of %d limits were halfway between two seats: too many to say that the others are right", tally.halfway, tally.limits)
	}
}

// tally counts what was compared, so that a test that met no case of a kind fails.
type tally struct {
	limits, halfway, smoothed            int
	minimum, interpolated, held, divided int
}

// agree compares all that follows from the configuration and the demand. The
// controller also adjusts on its own, every ten seconds: reading is tried again.
func agree(t *testing.T, w *world, c *controller, round int, tally *tally) []observation {
	t.Helper()
	var err error
	for range 20 {
		var seen []observation
		if seen, err = compare(w, c, tally); err == nil {
			return seen
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("round %d, server limit %d: %v\n%+v", round, w.serverLimit, err, w.levels)
	return nil
}

func compare(w *world, c *controller, tally *tally) ([]observation, error) {
	bounds, err := Configure(w.serverLimit, w.levels)
	if err != nil {
		return nil, err
	}
	current, before, adjustments := c.limits(bounds)
	seen, fraction, err := c.observe()
	if err != nil {
		return nil, err
	}
	if adjustments < 0 || c.adjustments() != adjustments {
		return nil, errMoved
	}
	states := make([]State, len(seen))
	for i, o := range seen {
		if o.bounds != bounds[i] {
			return nil, fmt.Errorf("bounds of level %d: controller %+v, ours %+v", i, o.bounds, bounds[i])
		}
		if widest := c.GetMaxSeats(c.names[i]); w.hand[i] > 0 && int(widest) != WidestRequest(bounds[i].Nominal, w.hand[i]) {
			return nil, fmt.Errorf("widest request of level %d: controller %d, ours %d", i, widest, WidestRequest(bounds[i].Nominal, w.hand[i]))
		}
		states[i] = State{Bounds: bounds[i], Exempt: w.levels[i].Exempt, Demand: Demand{High: o.high, Smoothed: o.smoothed}, Current: before[i]}
	}
	ours := Adjust(states)
	for i := range current {
		if current[i] == ours.Current[i] {
			continue
		}
		if ours.FairFraction > 0 && !ours.Held && halfway(states[i].claim().at(ours.FairFraction)) {
			tally.halfway++
			continue
		}
		return nil, fmt.Errorf("current limit of level %d: controller %d, ours %d, of %+v", i, current[i], ours.Current[i], states)
	}
	if err := agreeOnFraction(states, fraction, ours.FairFraction); err != nil {
		return nil, err
	}
	tally.note(states, ours)
	return seen, nil
}

// agreeOnFraction: where all levels are at a bound, the fraction is not the only one
// that gives them what they get.
func agreeOnFraction(states []State, controller, ours float64) error {
	for i, s := range states {
		if !s.Exempt && math.Abs(s.claim().at(controller)-s.claim().at(ours)) > 1e-6 {
			return fmt.Errorf("fair fraction: controller %v, ours %v: it matters to level %d", controller, ours, i)
		}
	}
	return nil
}

func halfway(seats float64) bool {
	return math.Abs(seats-math.Floor(seats)-0.5) < 1e-6
}

func (t *tally) note(states []State, a Adjustment) {
	t.limits += len(states)
	remaining, minimum := 0, 0
	for _, s := range states {
		remaining += s.Nominal
		if s.Exempt {
			remaining -= s.keeps()
		} else {
			minimum += s.Min
		}
	}
	switch {
	case a.Held:
		t.held++
	case a.FairFraction > 0:
		t.divided++
	case remaining <= minimum:
		t.minimum++
	default:
		t.interpolated++
	}
}

// agreeOnSmoothing compares what one adjustment made of the smoothed demand.
func agreeOnSmoothing(t *testing.T, before, after []observation, tally *tally) {
	t.Helper()
	for i, o := range after {
		if want := Smooth(before[i].smoothed, o.average, o.deviation); o.smoothed != want {
			t.Errorf("level %d: controller %v, ours %v, from %v by %v and %v", i, o.smoothed, want, before[i].smoothed, o.average, o.deviation)
		}
		tally.smoothed++
	}
}

// world is a random configuration. The first level is exempt, the second is the
// mandatory catch-all, and the last one numbers the configurations.
type world struct {
	random      *rand.Rand
	serverLimit int
	levels      []Level
	first       []Level
	hand        []int32 // 0: the level rejects, or is exempt
	names       []string
}

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 5))}
	w.serverLimit = []int{1, 2, 12, 100, 600, 599, 3000, 100_000}[seed%8]
	w.names = []string{"exempt", "catch-all"}
	for i := range 2 + w.random.IntN(6) {
		w.names = append(w.names, fmt.Sprintf("level-%d-%d", seed, i))
	}
	w.shuffle(int(seed))
	w.first = slices.Clone(w.levels)
	return w
}

// revert goes back to the levels that the controller was started with.
func (w *world) revert() { w.levels = slices.Clone(w.first) }

// shuffle makes all levels anew. Every fifth time no level may borrow.
func (w *world) shuffle(round int) {
	w.levels = make([]Level, len(w.names))
	if w.hand == nil {
		w.hand = make([]int32, len(w.names))
		for i := 2; i < len(w.hand); i++ {
			w.hand[i] = 1 + w.random.Int32N(10)
		}
	}
	for i := range w.levels {
		l := &w.levels[i]
		l.Shares = []int32{0, 1, 5, 30, 100, w.random.Int32N(1000), w.random.Int32()}[w.random.IntN(7)]
		l.LendablePercent = []int32{0, 33, 50, 90, 100, w.random.Int32N(101)}[w.random.IntN(6)]
		switch {
		case i == 0:
			l.Exempt = true
			l.Shares = w.random.Int32N(3) * w.random.Int32N(100)
		case round%5 == 0:
			l.BorrowingLimitPercent = new(int32(0))
		case w.random.IntN(2) == 0:
			l.BorrowingLimitPercent = new([]int32{0, 50, 100, w.random.Int32N(1000)}[w.random.IntN(4)])
		}
	}
	w.levels[1].Shares = max(1, w.levels[1].Shares) // so that the sum is not 0
}

// press lets the demand of all levels change over some seconds.
func (w *world) press(c *controller) {
	for range 1 + w.random.IntN(3) {
		for i, name := range c.names {
			scale := []int{0, 3, w.serverLimit, 2 * w.serverLimit}[w.random.IntN(4)]
			if i == 0 && w.random.IntN(2) == 0 {
				scale = 0
			}
			c.mu.Lock()
			demand := c.queues[name].demand
			c.mu.Unlock()
			demand.Set(float64(w.random.IntN(scale + 1)))
		}
		c.clock.SetTime(c.clock.Now().Add(time.Duration(1+w.random.IntN(5000)) * time.Millisecond))
	}
}

// objects are the levels as the cluster has them, numbered.
func (w *world) objects(number int) []*flowcontrolv1.PriorityLevelConfiguration {
	var objects []*flowcontrolv1.PriorityLevelConfiguration
	for i, l := range w.levels {
		o := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: w.names[i]}}
		if l.Exempt {
			o.Spec.Type = flowcontrolv1.PriorityLevelEnablementExempt
			o.Spec.Exempt = &flowcontrolv1.ExemptPriorityLevelConfiguration{NominalConcurrencyShares: &l.Shares, LendablePercent: &l.LendablePercent}
			objects = append(objects, o)
			continue
		}
		o.Spec.Type = flowcontrolv1.PriorityLevelEnablementLimited
		o.Spec.Limited = &flowcontrolv1.LimitedPriorityLevelConfiguration{
			NominalConcurrencyShares: &l.Shares, LendablePercent: &l.LendablePercent, BorrowingLimitPercent: l.BorrowingLimitPercent,
			LimitResponse: flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject},
		}
		if w.hand[i] > 0 {
			o.Spec.Limited.LimitResponse.Type = flowcontrolv1.LimitResponseTypeQueue
			o.Spec.Limited.LimitResponse.Queuing = &flowcontrolv1.QueuingConfiguration{Queues: 16, HandSize: w.hand[i], QueueLengthLimit: int32(number)}
		}
		objects = append(objects, o)
	}
	return objects
}

// TestNothingToDivide: the controller would divide by zero.
func TestNothingToDivide(t *testing.T) {
	if _, err := Configure(600, []Level{{Exempt: true}, {}}); !errors.Is(err, errNoShares) {
		t.Errorf("error is %v", err)
	}
}
