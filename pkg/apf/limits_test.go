// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// What comes back and what may be borrowed is never less than nothing: the limit that
// a level can reach is at least its nominal one, unless the upper limit is lower, and
// leaves the others their minimum.
func TestReachableLimitIsFairToTheOthers(t *testing.T) {
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
			var nominal int64
			for _, l := range w.levels {
				nominal += value("nominal_limit_seats", l.Name)
			}
			for _, h := range headrooms {
				s := h.Status.ByInstance[slices.IndexFunc(h.Status.ByInstance, func(s v1alpha1.InstanceSeats) bool { return s.Instance == instance })]
				if h.Spec.Type == "Exempt" {
					if s.ReachableLimitSeats != nil || s.NominalHeadroomSeats != nil || s.ReachableHeadroomSeats != nil || s.Utilization != nil {
						t.Fatalf("seed %d: an exempt level has a limit: %s", seed, renderLimits(&s.Seats))
					}
					continue
				}
				other := map[string]string{"a": "b", "b": "a"}[h.Name]
				want := min(value("upper_limit_seats", h.Name), nominal-value("lower_limit_seats", other))
				if got := *s.ReachableLimitSeats; got != want || got < *s.NominalSeats {
					t.Fatalf("seed %d, %s: reachable limit %d, want %d and no less than the nominal %d", seed, h.Name, got, want, *s.NominalSeats)
				}
				if *s.ReachableHeadroomSeats-*s.NominalHeadroomSeats != *s.ReachableLimitSeats-*s.NominalSeats {
					t.Fatalf("seed %d, %s: headrooms %s do not differ as limits do", seed, h.Name, renderLimits(&s.Seats))
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

// Limits as a kube-apiserver divides them: none is ever over what is called
// reachable, and a level gets all of that when only it wants seats.
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
		alone := 1 + random.IntN(len(states)-1)
		greedy := seed%2 == 0
		if greedy {
			for i := range states {
				states[i].Demand = allocation.Demand{}
			}
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
			if want := allocation.Reachable(states)[i]; *row.ReachableLimitSeats != int64(want) {
				t.Fatalf("seed %d, %s: reachable limit %d, want %d", seed, h.Name, *row.ReachableLimitSeats, want)
			}
			if *row.HeadroomSeats > *row.ReachableHeadroomSeats {
				t.Fatalf("seed %d, %s: headroom %d is over the reachable %d", seed, h.Name, *row.HeadroomSeats, *row.ReachableHeadroomSeats)
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
	return Evaluate(s.reading, s.levels, s.schemas)
}
