// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// division is how one kube-apiserver divides its seats, without or with the change.
// Nil when that is not known.
type division struct {
	serverLimit int
	specs       []*v1alpha1.APFHeadroomSpec // nil: the level does not take part
	states      []allocation.State          // of levels that take part, as below
	demands     []*demand
	reachable   []int
	// latest, peak and most are nil unless the demand of all levels is known; most is
	// of the highest that the peaks may be by the width of requests.
	latest, peak, most *allocation.Adjustment
	// place of a level in what holds only levels that take part.
	place []int
}

// divide does what the kube-apiserver does. It returns nil when the concurrency
// limit of the server is not known.
func (s *simulation) divide(o *observed, serverLimit int, demands []*demand, of func(level) *v1alpha1.APFHeadroomSpec) *division {
	if serverLimit == 0 {
		return nil
	}
	d := &division{serverLimit: serverLimit, demands: demands}
	var configured []allocation.Level
	known := true
	for i, l := range s.levels {
		spec := of(l)
		if o.passesBy(l) {
			spec = nil
		}
		d.specs = append(d.specs, spec)
		d.place = append(d.place, len(configured))
		if spec == nil {
			continue
		}
		known = known && demands[i] != nil
		configured = append(configured, allocation.Level{
			Exempt:                exempt(spec),
			Shares:                *spec.NominalConcurrencyShares,
			LendablePercent:       *spec.LendablePercent,
			BorrowingLimitPercent: spec.BorrowingLimitPercent,
		})
	}
	bounds, err := allocation.Configure(serverLimit, configured)
	if err != nil {
		s.differences = append(s.differences, o.Name+": "+err.Error())
		return nil
	}
	for i := range s.levels {
		if d.specs[i] == nil {
			continue
		}
		// The limit before does not matter: no adjustment is held, for catch-all has no
		// borrowing limit.
		d.states = append(d.states, allocation.State{Bounds: bounds[d.place[i]], Exempt: exempt(d.specs[i]), Current: bounds[d.place[i]].First()})
	}
	// Without demand: exempt levels too are at their minimum.
	pool := allocation.PoolOf(d.states)
	for _, state := range d.states {
		d.reachable = append(d.reachable, pool.Reachable(state.Bounds))
	}
	if known {
		d.latest = d.adjust(func(m *demand) allocation.Demand { return m.latest })
		d.peak = d.adjust(func(m *demand) allocation.Demand { return m.peak })
		d.most = d.adjustMost()
	}
	return d
}

func (d *division) adjust(of func(*demand) allocation.Demand) *allocation.Adjustment {
	states := make([]allocation.State, len(d.states))
	for i, spec := range d.specs {
		if spec != nil {
			states[d.place[i]] = d.states[d.place[i]]
			states[d.place[i]].Demand = of(d.demands[i])
		}
	}
	return new(allocation.Adjust(states))
}

// adjustMost is the adjustment by the most that all peaks may be.
func (d *division) adjustMost() *allocation.Adjustment {
	states := slices.Clone(d.states)
	for i, spec := range d.specs {
		if spec == nil {
			continue
		}
		state := &states[d.place[i]]
		state.Demand = d.demands[i].peak
		if !state.Exempt {
			_, state.High = d.demands[i].peakSpan(widest(spec, state.Nominal))
		}
	}
	return new(allocation.Adjust(states))
}

// given is what an adjustment gives the level, nil when unknown.
func (d *division) given(a *allocation.Adjustment, i int) *int64 {
	if a == nil {
		return nil
	}
	return new(int64(a.Current[d.place[i]]))
}

func (d *division) server() *v1alpha1.SimulatedServer {
	if d == nil {
		return nil
	}
	server := &v1alpha1.SimulatedServer{ServerConcurrencyLimit: int64(d.serverLimit)}
	for _, state := range d.states {
		server.NominalSeats += int64(state.Nominal)
	}
	return server
}

// limits of a level, nil when it does not take part.
func (d *division) limits(i int) *v1alpha1.SimulatedLimits {
	if d == nil || d.specs[i] == nil {
		return nil
	}
	spec, state := d.specs[i], d.states[d.place[i]]
	l := &v1alpha1.SimulatedLimits{
		NominalSeats:            int64(state.Nominal),
		MinimumSeats:            int64(state.Min),
		MaximumSeats:            int64(state.Max),
		CurrentLimitSeats:       d.given(d.latest, i),
		CurrentLimitAtPeakSeats: d.given(d.peak, i),
	}
	if state.Exempt {
		l.PeakFit = v1alpha1.PeakUnlimited
		return l
	}
	l.ReachableSeats = new(int64(d.reachable[d.place[i]]))
	l.QueueCapacityRequests = new(int64(0))
	width := widest(spec, state.Nominal)
	if r := spec.LimitResponse; r != nil && r.Type == string(flowcontrolv1.LimitResponseTypeQueue) {
		*l.QueueCapacityRequests = int64(*r.Queues) * int64(*r.QueueLengthLimit)
		l.WidestRequestSeats = new(int64(width))
	}
	l.PeakFit = peakFit(l, d.demands[i], width, d.given(d.most, i))
	return l
}

// peakFit says no more than is certain. widest is the most seats of one request,
// which may take more than the limit when it runs alone (queueset.go
// canAccommodateSeatsLocked): a peak of that alone proves nothing. given is the limit
// when all levels are at the most that their peaks may be, nil when unknown.
func peakFit(l *v1alpha1.SimulatedLimits, d *demand, widest int, given *int64) v1alpha1.PeakFit {
	if d == nil {
		return v1alpha1.PeakUnknown
	}
	least, most := d.peakSpan(widest)
	waiting := int64(least) - max(*l.ReachableSeats, int64(widest))
	peak := int64(most)
	switch {
	case waiting > *l.QueueCapacityRequests*int64(widest):
		return v1alpha1.PeakRejects
	case waiting > 0:
		return v1alpha1.PeakQueues
	case peak > *l.ReachableSeats || d.rejected || d.untold:
		return v1alpha1.PeakUnknown
	case peak <= l.MinimumSeats:
		return v1alpha1.PeakFits
	// The limit at the peaks of all is the least that a level of this peak gets: what
	// exempt levels demand is taken off first (apf_controller.go updateBorrowingLocked).
	case peak <= l.NominalSeats && given != nil && peak <= *given:
		return v1alpha1.PeakFitsAfterReclaim
	default:
		return v1alpha1.PeakFitsIfLent
	}
}
