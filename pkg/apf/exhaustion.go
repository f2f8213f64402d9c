// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"example.io/slo-apiserver/pkg/apf/forecast"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// readExhaustion forecasts when the demand of a limited level reaches the reachable
// limit. It needs ReachableLimitSeats and SmoothedDemandSeats; without either, or
// without samples, nothing is said.
func (r *row) readExhaustion() {
	// The signal keeps no label but that of the level.
	series, _ := r.instance.of(smoothedDemand, r.level)
	if r.ReachableLimitSeats == nil || r.SmoothedDemandSeats == nil || len(series) != 1 {
		return
	}
	limit := float64(*r.ReachableLimitSeats)
	// An idle level without a seat within reach is not exhausted by its demand.
	r.exhausted = series[0].Last >= limit && series[0].Last > 0
	samples := make([]forecast.Sample, len(series[0].Samples))
	for i, s := range series[0].Samples {
		samples[i] = forecast.Sample{Time: s.Time, Seats: s.Value}
	}
	e, why := forecast.Of(samples, limit)
	if why != "" || r.exhausted {
		return
	}
	r.Exhaustion = &v1alpha1.Exhaustion{
		EarlyTime:           second(e.Early),
		LikelyTime:          second(e.Likely),
		LimitSeats:          *r.ReachableLimitSeats,
		DemandSeats:         *r.SmoothedDemandSeats,
		TrendSeatsPerMinute: ratio(e.PerMinute),
		Samples:             int64(e.Samples),
		SpanSeconds:         int64(e.Span.Round(time.Second).Seconds()),
	}
	if !e.Late.IsZero() {
		r.Exhaustion.LateTime = new(second(e.Late))
	}
}

// second is a time as the API has it, rounded up: no forecast is before its sample.
func second(t time.Time) metav1.Time {
	return metav1.NewTime(t.Add(time.Second - time.Nanosecond).UTC().Truncate(time.Second))
}

// exhaustion is the soonest one of all rows, with its instance; nil when there is none.
func exhaustion(rows []*row) *v1alpha1.Exhaustion {
	var soonest *row
	for _, r := range rows {
		if r.Exhaustion != nil && (soonest == nil || sooner(r, soonest) < 0) {
			soonest = r
		}
	}
	if soonest == nil {
		return nil
	}
	e := soonest.Exhaustion.DeepCopy()
	e.Instance = soonest.Instance
	return e
}

// sooner orders rows with a forecast.
func sooner(a, b *row) int {
	return cmp.Or(
		a.Exhaustion.LikelyTime.Compare(b.Exhaustion.LikelyTime.Time),
		a.Exhaustion.EarlyTime.Compare(b.Exhaustion.EarlyTime.Time),
		cmp.Compare(a.Instance, b.Instance),
	)
}

// exhaustionMessage: "; at the present rise all 120 seats within reach on 10.0.0.1:6443
// are wanted in 12m (8m..21m)". Where demand is there already, that is said instead: it
// is no forecast. It is "" when there is nothing to say.
func exhaustionMessage(rows []*row) string {
	var newest time.Time
	for _, r := range rows {
		if r.exhausted {
			return fmt.Sprintf("; demand has reached the %d seats within reach on %s", *r.ReachableLimitSeats, r.Instance)
		}
		if r.instance.Last.After(newest) {
			newest = r.instance.Last
		}
	}
	e := exhaustion(rows)
	if e == nil {
		return ""
	}
	in := func(t metav1.Time) string {
		return duration.HumanDuration(max(0, t.Sub(newest.Truncate(time.Second))))
	}
	band := in(e.EarlyTime) + " at the earliest"
	if e.LateTime != nil {
		band = in(e.EarlyTime) + ".." + in(*e.LateTime)
	}
	return fmt.Sprintf("; at the present rise all %d seats within reach on %s are wanted in %s (%s)",
		e.LimitSeats, e.Instance, in(e.LikelyTime), band)
}
