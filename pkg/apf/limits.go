// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// pool is what the levels of an instance share: lending and borrowing never move
// more than that.
type pool struct {
	// nominal is the sum of the nominal limits of all levels.
	nominal int64
	// lower is the sum of the lower limits of the limited levels.
	lower int64
	// known says that every level with a nominal limit has a lower one.
	known bool
}

// sharePools sums the limits of the levels that are configured, on each instance.
// Gauges of deleted levels stay, so that the metrics alone do not tell who shares.
// A level without a nominal limit is not known to the instance, and gets nothing.
func (s *survey) sharePools(headrooms []v1alpha1.APFHeadroom) {
	for _, i := range s.observed {
		i.pool.known = true
		for j := range headrooms {
			h := &headrooms[j]
			nominal, _ := i.gauge(nominalLimit, h.Name)
			if nominal == nil {
				continue
			}
			i.pool.nominal += *nominal
			// Exempt levels hold back no seats from the others: their nominal seats are
			// shared out, and their minimum is no item of the allocation problem
			// (apf_controller.go updateBorrowingLocked).
			if h.Spec.Type == string(flowcontrolv1.PriorityLevelEnablementExempt) {
				continue
			}
			lower, _ := i.gauge(lowerLimit, h.Name)
			if lower == nil {
				i.pool.known = false
				continue
			}
			i.pool.lower += *lower
		}
	}
}

// reachableLimit of a limited level, nil when unknown. The current limits of the
// limited levels add up to the sum of the nominal ones, none is under its lower or
// over its upper limit (apf_controller.go updateBorrowingLocked, conc_alloc.go
// computeConcurrencyAllocation): one level gets the most when all others are at
// their lower limits. want notes what is missing.
func (i *instance) reachableLimit(level string, nominal *int64, want func(known bool, signal string)) *int64 {
	if nominal == nil {
		return nil
	}
	// Nothing was lent before 1.26: see row.readSeats.
	if !i.has(currentLimit) && !i.has(peakDemand) && !i.has(lowerLimit) && !i.has(upperLimit) {
		return nominal
	}
	lower, _ := i.gauge(lowerLimit, level)
	upper, _ := i.gauge(upperLimit, level)
	want(lower != nil && i.pool.known, lowerLimit)
	want(upper != nil, upperLimit)
	if lower == nil || upper == nil || !i.pool.known {
		return nil
	}
	return new(min(*upper, i.pool.nominal-(i.pool.lower-*lower)))
}
