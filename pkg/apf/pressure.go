// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// pressure of the level in this instance. What is bad needs one proof; what is
// good needs all figures and the whole window.
func (r *row) pressure() v1alpha1.Pressure {
	switch {
	case r.exempt && (r.instance.has(dispatched) || r.instance.has(nominalLimit)):
		return v1alpha1.PressureUnlimited
	case r.exempt:
		return v1alpha1.PressureUnknown
	case len(r.rejectedBy) > 0:
		return v1alpha1.PressureRejecting
	case positive(r.QueuedRequests) || r.manyWaitLong():
		return v1alpha1.PressureQueueing
	case len(r.missing) > 0 || !r.instance.complete:
		return v1alpha1.PressureUnknown
	case *r.DispatchedRequests == 0 && *r.ExecutingSeats == 0:
		return v1alpha1.PressureIdle
	default:
		return v1alpha1.PressureOk
	}
}

// manyWaitLong says that at least one request in longWaitOneIn waited long.
func (r *row) manyWaitLong() bool {
	return r.longWaits > 0 && r.longWaits*longWaitOneIn >= r.allWaits
}

// byRisingPressure orders pressures for choosing the worst. Unknown is worse than
// anything good, and better than anything proven bad.
var byRisingPressure = []v1alpha1.Pressure{
	v1alpha1.PressureUnlimited,
	v1alpha1.PressureIdle,
	v1alpha1.PressureOk,
	v1alpha1.PressureUnknown,
	v1alpha1.PressureQueueing,
	v1alpha1.PressureRejecting,
}

func rank(p v1alpha1.Pressure) int {
	return slices.Index(byRisingPressure, p)
}

// overall is the pressure of the worst instance. An instance that was not read is
// Unknown, except that it is exempt where the others are: that is configuration.
func overall(rows []*row, missing bool) v1alpha1.Pressure {
	if len(rows) == 0 {
		return v1alpha1.PressureUnknown
	}
	p := worst(rows).Pressure
	if missing && p != v1alpha1.PressureUnlimited && rank(p) < rank(v1alpha1.PressureUnknown) {
		return v1alpha1.PressureUnknown
	}
	return p
}

// worst is the row under the most pressure; among those, the one with the least
// headroom, or with the most seats taken where there is no limit. There is a row.
func worst(rows []*row) *row {
	return slices.MinFunc(rows, func(a, b *row) int {
		return cmp.Or(
			cmp.Compare(rank(b.Pressure), rank(a.Pressure)),
			leastFirst(a.HeadroomSeats, b.HeadroomSeats),
			mostFirst(a, b),
			cmp.Compare(a.Instance, b.Instance),
		)
	})
}

// tightest is the row with the least headroom, nil when none is known.
func tightest(rows []*row) *row {
	var least *row
	for _, r := range rows {
		if r.HeadroomSeats != nil && (least == nil || *r.HeadroomSeats < *least.HeadroomSeats) {
			least = r
		}
	}
	return least
}

// mostFirst orders exempt rows by the seats taken.
func mostFirst(a, b *row) int {
	if !a.exempt || !b.exempt {
		return 0
	}
	return -leastFirst(a.ExecutingSeats, b.ExecutingSeats)
}

// leastFirst orders unknown figures behind known ones: they show nothing.
func leastFirst(a, b *int64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

func positive(n *int64) bool { return n != nil && *n > 0 }
