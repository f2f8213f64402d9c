// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Limits within reach are those that package allocation has of the same pool, which
// only levels of the configuration share.
func TestLimitsWithinReachAreThoseOfThePool(t *testing.T) {
	limited := 0
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		headrooms := w.evaluate()
		for i := range w.reading.Instances {
			instance := w.reading.Instances[i].Name
			value := func(metric, level string) int64 {
				for _, p := range w.samples {
					if p.instance == instance && p.metric == "apiserver_flowcontrol_"+metric && p.labels["priority_level"] == level {
						return int64(p.value)
					}
				}
				t.Fatalf("seed %d: no %s of %s", seed, metric, level)
				return 0
			}
			var states []allocation.State
			for _, l := range w.levels {
				states = append(states, allocation.State{
					Bounds: allocation.Bounds{Nominal: int(value("nominal_limit_seats", l.Name)), Min: int(value("lower_limit_seats", l.Name)), Max: int(value("upper_limit_seats", l.Name))},
					Exempt: l.Name == "x" && value("current_limit_seats", l.Name) == max(value("lower_limit_seats", l.Name), value("demand_seats_high_watermark", l.Name)),
					Demand: allocation.Demand{High: int(value("demand_seats_high_watermark", l.Name))},
				})
			}
			pool := allocation.PoolOf(states)
			for _, h := range headrooms {
				s := h.Status.ByInstance[slices.IndexFunc(h.Status.ByInstance, func(s v1alpha1.InstanceSeats) bool { return s.Instance == instance })]
				if h.Spec.Type == "Exempt" {
					if s.ReachableLimitSeats != nil || s.NominalHeadroomSeats != nil || s.ReachableHeadroomSeats != nil || s.Utilization != nil {
						t.Fatalf("seed %d: an exempt level has a limit: %s", seed, renderLimits(&s.Seats))
					}
					continue
				}
				own := states[slices.IndexFunc(w.levels, func(l *flowcontrolv1.PriorityLevelConfiguration) bool { return l.Name == h.Name })]
				want := int64(pool.Reachable(own.Bounds))
				if got := *s.ReachableLimitSeats; got != want {
					t.Fatalf("seed %d, %s: reachable limit %d, want %d", seed, h.Name, got, want)
				}
				if got := *s.NominalHeadroomSeats + *s.ExecutingSeats; got != int64(pool.Reclaimed(own)) || got > *s.NominalSeats || got > want {
					t.Fatalf("seed %d, %s: of %d nominal seats %d can be reclaimed, and %d within reach", seed, h.Name, *s.NominalSeats, got, want)
				}
				if want == value("upper_limit_seats", h.Name) {
					limited++
				}
			}
		}
	}
	if limited < worlds/10 {
		t.Fatalf("only %d levels reached their upper limit", limited)
	}
}

// Limits as a kube-apiserver divides them, beside an exempt level that is often busy:
// no level is given seats that it wants beyond what is called reachable, and it gets all
// of that when only it wants seats.
func TestLimitsInForceAreReachable(t *testing.T) {
	full := 0
	for seed := range uint64(worlds) {
		random := rand.New(rand.NewPCG(seed, 3))
		s := &scenario{reading: &sources.Reading{At: testAt, Window: testWindow, Rule: sources.Exact}}
		configured := make([]allocation.Level, 2+random.IntN(6))
		for i := range configured {
			configured[i] = allocation.Level{Exempt: i == 0, Shares: int32(random.IntN(100)), LendablePercent: int32(random.IntN(101))}
			if i > 0 && random.IntN(2) == 0 {
				configured[i].BorrowingLimitPercent = new(int32(random.IntN(200)))
			}
		}
		configured[1].Shares++
		bounds, err := allocation.Configure(1+random.IntN(600), configured)
		if err != nil {
			t.Fatal(err)
		}
		states := make([]allocation.State, len(bounds))
		for i := range states {
			states[i] = allocation.State{Bounds: bounds[i], Exempt: configured[i].Exempt, Current: bounds[i].Nominal}
			if random.IntN(3) == 0 {
				states[i].High = random.IntN(900)
				states[i].Smoothed = random.Float64() * 900
			}
		}
		demand := states[0].Demand
		alone := 1 + random.IntN(len(states)-1)
		greedy := seed%2 == 0
		if greedy {
			for i := range states {
				states[i].Demand = allocation.Demand{}
			}
			states[0].Demand = demand
			states[alone].Demand = allocation.Demand{High: 1e6, Smoothed: 1e6}
		}
		adjusted := allocation.Adjust(states)
		s.addLimits("10.0.0.1:6443", states, adjusted.Current)
		for _, h := range s.evaluate() {
			if h.Spec.Type == "Exempt" {
				continue
			}
			row := h.Status.ByInstance[0]
			var i int
			if _, err := fmt.Sscanf(h.Name, "level-%d", &i); err != nil {
				t.Fatal(err)
			}
			if used := min(*row.CurrentLimitSeats, int64(states[i].High)); used > *row.ReachableLimitSeats {
				t.Fatalf("seed %d, %s: %d seats are given and wanted, of %d within reach", seed, h.Name, used, *row.ReachableLimitSeats)
			}
			if greedy && i == alone && !adjusted.Held && *row.CurrentLimitSeats == *row.ReachableLimitSeats {
				full++
			}
		}
	}
	if full < worlds/3 {
		t.Fatalf("only %d of %d greedy levels got all that is reachable", full, worlds/2)
	}
}

// addLimits adds an instance with these limits; level 0 is exempt.
func (s *scenario) addLimits(instance string, states []allocation.State, current []int) {
	i, err := observedInstance(instance, "5m", "0s")
	if err != nil {
		panic(err)
	}
	s.reading.Instances = append(s.reading.Instances, i)
	for n, state := range states {
		name, kind := fmt.Sprintf("level-%d", n), "Queue"
		if state.Exempt {
			kind = "Exempt"
		}
		s.levels = append(s.levels, level(name, kind, nil))
		for metric, value := range map[string]int{
			"nominal_limit_seats": state.Nominal, "lower_limit_seats": state.Min, "upper_limit_seats": state.Max,
			"current_limit_seats": current[n], "current_executing_seats": 1, "demand_seats_high_watermark": state.High,
		} {
			s.samples = append(s.samples, sample{
				instance: instance, metric: "apiserver_flowcontrol_" + metric, value: float64(value), max: float64(value),
				labels: map[string]string{"priority_level": name},
			})
		}
	}
}

func (s *scenario) evaluate() []v1alpha1.APFHeadroom {
	s.reading.Results = read(Signals(), s.reading.Instances, s.samples)
	return Evaluate(s.reading, s.levels, s.schemas, Options{})
}
