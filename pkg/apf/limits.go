// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// pool is what the levels of an instance share: lending and borrowing never move
// more than that.
type pool struct {
	allocation.Pool
	states map[string]allocation.State
	// nominal is the sum of the nominal limits of all levels.
	nominal int64
	// foremost is the exempt level that keeps the most, and kept what it keeps.
	foremost string
	kept     int64
	// lowers and exempts say that the lower limits of all limited levels are known, and
	// what all exempt ones keep.
	lowers, exempts bool
}

// sharePools sums the limits of the levels that are configured, on each instance.
// Gauges of deleted levels stay, so that the metrics alone do not tell who shares.
// A level without a nominal limit is not known to the instance, and gets nothing: the
// exempt ones before 1.28, which take no part there.
func (s *survey) sharePools(headrooms []v1alpha1.APFHeadroom) {
	for _, i := range s.observed {
		i.pool = pool{states: map[string]allocation.State{}, lowers: true, exempts: true}
		var states []allocation.State
		for j := range headrooms {
			h := &headrooms[j]
			nominal, _ := i.gauge(nominalLimit, h.Name)
			if nominal == nil {
				continue
			}
			i.pool.nominal += *nominal
			state := i.stateOf(h, *nominal)
			i.pool.states[h.Name] = state
			states = append(states, state)
		}
		i.pool.Pool = allocation.PoolOf(states)
	}
}

// stateOf a level in the pool. An unknown demand of a limited level is taken for all
// that it could keep.
func (i *instance) stateOf(h *v1alpha1.APFHeadroom, nominal int64) allocation.State {
	state := allocation.State{Bounds: allocation.Bounds{Nominal: int(nominal)}}
	state.High = state.Nominal
	lower, _ := i.gauge(lowerLimit, h.Name)
	if lower != nil {
		state.Min = int(*lower)
	}
	high, _ := i.gauge(peakDemand, h.Name)
	if high != nil {
		state.High = int(*high)
	}
	if h.Spec.Type == string(flowcontrolv1.PriorityLevelEnablementExempt) {
		state.Exempt = i.keepsFirst(h.Name, lower, high)
	} else {
		i.pool.lowers = i.pool.lowers && lower != nil
	}
	return state
}

// keepsFirst says that an exempt level keeps what it demanded in the last ten seconds,
// before the others get anything over their lower limits (apf_controller.go
// updateBorrowingLocked). The demand has to be known: none is not the least of it.
//
// From 1.28 to 1.30 seats were divided to exempt levels like to the others. Then the
// current limit of an exempt level is a share; since 1.31 it is what it keeps.
func (i *instance) keepsFirst(level string, lower, high *int64) bool {
	if lower == nil || high == nil {
		i.pool.exempts = false
		return true
	}
	kept := max(*lower, *high)
	if current, _ := i.gauge(currentLimit, level); current != nil && *current != kept {
		return false
	}
	if kept > i.pool.kept {
		i.pool.foremost, i.pool.kept = level, kept
	}
	return true
}

// limitsWithinReach of a limited level: the one that it gets when it wants its nominal
// seats, and the highest that it can get. Nil when unknown. want notes what is missing.
func (i *instance) limitsWithinReach(level string, nominal *int64, want func(known bool, signal string)) (reclaimed, reachable *int64) {
	if nominal == nil {
		return nil, nil
	}
	// Nothing was lent before 1.26: see row.readSeats.
	if !i.has(currentLimit) && !i.has(peakDemand) && !i.has(lowerLimit) && !i.has(upperLimit) {
		return nominal, nominal
	}
	upper, _ := i.gauge(upperLimit, level)
	want(i.pool.exempts, peakDemand)
	want(i.pool.lowers, lowerLimit)
	want(upper != nil, upperLimit)
	state := i.pool.states[level]
	switch {
	case !i.pool.exempts:
		return nil, nil
	case !i.pool.Crowded():
		reclaimed = nominal
	case i.pool.lowers:
		reclaimed = new(int64(i.pool.Reclaimed(state)))
	}
	if upper == nil || !i.pool.lowers {
		return reclaimed, nil
	}
	state.Max = int(*upper)
	return reclaimed, new(int64(i.pool.Reachable(state.Bounds)))
}
