// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// rise gives every level of every instance some demand that rises, more or less.
func (w *world) rise() {
	for i := range w.samples {
		p := &w.samples[i]
		if !strings.HasSuffix(p.metric, "demand_seats_smoothed") {
			continue
		}
		slope, noise := 0.2*w.random.Float64(), 0.1*w.random.Float64()
		for j := range 20 {
			p.value = slope*float64(j) + noise*w.random.Float64()
			p.at = append(p.at, sources.Sample{Time: testAt.Add(time.Duration(j-19) * 15 * time.Second), Value: p.value})
		}
	}
}

func TestExhaustionIsTheSoonest(t *testing.T) {
	told := 0
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		w.rise()
		for _, h := range w.evaluate() {
			soonest := h.Status.Exhaustion
			if soonest != nil {
				told++
			}
			for _, s := range h.Status.ByInstance {
				e := s.Exhaustion
				if e == nil {
					continue
				}
				if h.Spec.Type == "Exempt" || soonest == nil || e.LikelyTime.Before(&soonest.LikelyTime) {
					t.Fatalf("seed %d, %s: %+v on %s, of the level %+v", seed, h.Name, e, s.Instance, soonest)
				}
				if e.Instance != "" || e.EarlyTime.Time.Before(testAt) || e.LimitSeats != *s.ReachableLimitSeats || e.DemandSeats != *s.SmoothedDemandSeats {
					t.Fatalf("seed %d, %s: %+v on %s", seed, h.Name, e, s.Instance)
				}
				if s.Instance != soonest.Instance {
					continue
				}
				named := e.DeepCopy()
				named.Instance = s.Instance
				if diff := cmp.Diff(named, soonest); diff != "" {
					t.Fatalf("seed %d, %s: the level is not as its instance:\n%s", seed, h.Name, diff)
				}
			}
			message := h.Status.Conditions[0].Message
			if h.Status.Conditions[0].Type != v1alpha1.ConditionHasHeadroom {
				t.Fatal("the first condition is another")
			}
			reached := strings.Contains(message, "has reached the")
			if !reached && strings.Contains(message, "at the present rise") != (soonest != nil) {
				t.Fatalf("seed %d, %s: %q beside %+v", seed, h.Name, message, soonest)
			}
		}
	}
	if told < worlds/4 {
		t.Errorf("%d forecasts: the property says little", told)
	}
}

// An idle level that can get no seat has no demand that exhausts it.
func TestIdleWithoutSeatsIsNotExhausted(t *testing.T) {
	for demand, want := range map[float64]bool{0: false, 0.4: true} {
		i := &instance{series: map[string]map[string][]sources.Series{}}
		i.add(smoothedDemand, sources.Series{Values: []string{"low"}, Last: demand})
		r := &row{instance: i, level: "low"}
		r.ReachableLimitSeats, r.SmoothedDemandSeats = new(int64), new(int64)
		r.readExhaustion()
		if r.exhausted != want || r.Exhaustion != nil {
			t.Errorf("demand of %g: exhausted %t, forecast %+v", demand, r.exhausted, r.Exhaustion)
		}
	}
}
