// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// totalSeats sums the rows figure by figure. The peaks of two instances need not
// fall together: their sum is an upper bound of the true one.
func totalSeats(rows []*row) *v1alpha1.Seats {
	return &v1alpha1.Seats{
		NominalSeats:           sum(rows, func(r *row) *int64 { return r.NominalSeats }),
		CurrentLimitSeats:      sum(rows, func(r *row) *int64 { return r.CurrentLimitSeats }),
		ReachableLimitSeats:    sum(rows, func(r *row) *int64 { return r.ReachableLimitSeats }),
		ExecutingSeats:         sum(rows, func(r *row) *int64 { return r.ExecutingSeats }),
		PeakExecutingSeats:     sum(rows, func(r *row) *int64 { return r.PeakExecutingSeats }),
		PeakDemandSeats:        sum(rows, func(r *row) *int64 { return r.PeakDemandSeats }),
		SmoothedDemandSeats:    sum(rows, func(r *row) *int64 { return r.SmoothedDemandSeats }),
		HeadroomSeats:          sum(rows, func(r *row) *int64 { return r.HeadroomSeats }),
		NominalHeadroomSeats:   sum(rows, func(r *row) *int64 { return r.NominalHeadroomSeats }),
		ReachableHeadroomSeats: sum(rows, func(r *row) *int64 { return r.ReachableHeadroomSeats }),
		QueuedRequests:         sum(rows, func(r *row) *int64 { return r.QueuedRequests }),
		QueuedSeats:            sum(rows, func(r *row) *int64 { return r.QueuedSeats }),
		QueueCapacityRequests:  sum(rows, func(r *row) *int64 { return r.QueueCapacityRequests }),
	}
}

// totalRequests sums what became of requests. The split of the rejected ones
// lists all that were seen, also where the sum is not known.
func totalRequests(rows []*row) *v1alpha1.RequestFigures {
	figures := &v1alpha1.RequestFigures{
		Dispatched: sum(rows, func(r *row) *int64 { return r.DispatchedRequests }),
		Rejected:   sum(rows, func(r *row) *int64 { return r.RejectedRequests }),
	}
	var split []v1alpha1.RejectedRequests
	var all *sources.Buckets
	known := true
	for _, r := range rows {
		split = append(split, r.rejectedBy...)
		all = add(all, r.waits)
		known = known && r.waitsKnown
	}
	figures.RejectedBy = mergeRejections(split)
	if known {
		figures.WaitP99Milliseconds, figures.WaitP99Bucket = waitP99(all)
	}
	return figures
}

// sum is nil when one row lacks the figure: a sum with a hole looks like a
// smaller one.
func sum(rows []*row, figure func(*row) *int64) *int64 {
	var total int64
	for _, r := range rows {
		n := figure(r)
		if n == nil {
			return nil
		}
		total += *n
	}
	return &total
}
