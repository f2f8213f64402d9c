// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math/rand/v2"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Whatever requests make a peak, what they would make of it with another width is
// within the span.
func TestPeakSpan(t *testing.T) {
	narrower, wider := 0, 0
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 6))
		before, after := 1+random.IntN(widestRequest), 1+random.IntN(widestRequest)
		d := &demand{widths: widths{before, before}}
		truth := 0
		for range random.IntN(20) {
			wanted := 1 + random.IntN(widestRequest)
			d.peak.High += min(wanted, before)
			truth += min(wanted, after)
		}
		if random.IntN(4) == 0 { // what it was is not known
			d.widths = widths{1, widestRequest}
		}
		least, most := d.peakSpan(after)
		if truth < least || truth > most || least > d.peak.High || most < d.peak.High {
			t.Fatalf("seed %d: a peak of %d becomes %d by %d seats after %d, not from %d to %d", seed, d.peak.High, truth, after, before, least, most)
		}
		if truth < d.peak.High {
			narrower++
		}
		if truth > d.peak.High {
			wider++
		}
	}
	if min(narrower, wider) < 1000 {
		t.Fatalf("%d peaks became narrower and %d wider", narrower, wider)
	}
}

// 12 LISTs that want 40 seats each are cut to what their level allows. A change of
// shares that moves it moves their peak, also into another level.
func TestDemandFollowsTheWidthOfRequests(t *testing.T) {
	const lists, wanted = 12, 40
	for name, c := range map[string]struct {
		change v1alpha1.SimulatedLevel
		from   string
		before int64
		moves  bool
	}{
		"wider":                  {v1alpha1.SimulatedLevel{Name: "global-default", NominalConcurrencyShares: new(int32(1000))}, "global-default", 8, true},
		"narrower":               {v1alpha1.SimulatedLevel{Name: "workload-low", NominalConcurrencyShares: new(int32(10))}, "workload-low", 37, true},
		"without queues":         {v1alpha1.SimulatedLevel{Name: "global-default", LimitResponse: &v1alpha1.LimitResponse{Type: "Reject"}}, "global-default", 8, true},
		"moved to a small level": {v1alpha1.SimulatedLevel{Name: "new", New: true, DemandFrom: &v1alpha1.DemandShare{Level: "workload-low", Percent: 100}}, "workload-low", 37, true},
		"as wide":                {v1alpha1.SimulatedLevel{Name: "global-default", LendablePercent: new(int32(60))}, "global-default", 8, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInput()
			for level := range reported {
				set(&in, apf.PeakDemand, level, 0, 0)
				set(&in, apf.SmoothedDemand, level, 0, 0)
			}
			set(&in, apf.PeakDemand, c.from, float64(lists*c.before), float64(lists*c.before))
			status := simulate(t, v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{c.change}}, in)
			if w := *outcome(t, status, c.from).Before.WidestRequestSeats; w != c.before {
				t.Fatalf("the widest request took %d seats, want %d", w, c.before)
			}
			got := outcome(t, status, c.change.Name).After
			truth := lists * int64(wanted)
			if got.WidestRequestSeats != nil {
				truth = lists * min(*got.WidestRequestSeats, wanted)
			}
			switch got.PeakFit {
			case v1alpha1.PeakFits:
				if truth > got.MinimumSeats {
					t.Errorf("they want %d: %s", truth, renderLimits(got))
				}
			case v1alpha1.PeakQueues, v1alpha1.PeakRejects:
				if truth <= *got.ReachableSeats {
					t.Errorf("they want %d: %s", truth, renderLimits(got))
				}
			}
			if told := conditionOf(status, v1alpha1.ConditionDemandComplete); (told.Reason == ReasonWidthsChange) != c.moves || c.moves && !strings.Contains(told.Message, c.change.Name+" on a becomes") {
				t.Errorf("condition %+v", told)
			}
		})
	}
}

// A width that is not known may have been any.
func TestUnknownWidths(t *testing.T) {
	in := newInput()
	drop(&in, apf.NominalLimit, "global-default")
	got := outcome(t, simulate(t, v1alpha1.APFSimulationSpec{}, in), "global-default")
	if got.After.PeakFit != v1alpha1.PeakUnknown {
		t.Errorf("a peak of %d by requests of unknown width: %s", got.Demand.PeakSeats, renderLimits(got.After))
	}
	d := &demand{peak: allocation.Demand{High: 10}, widths: widths{1, widestRequest}}
	if least, most := d.peakSpan(20); least != 10 || most != 200 {
		t.Errorf("a peak of 10 becomes one from %d to %d", least, most)
	}
}
