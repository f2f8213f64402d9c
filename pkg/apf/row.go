// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// row is one priority level in one kube-apiserver.
type row struct {
	v1alpha1.InstanceSeats
	instance *instance
	level    string
	exempt   bool

	// reclaimed is the limit that the level gets when it wants its nominal seats.
	reclaimed *int64
	// exhausted says that the smoothed demand is at the reachable limit, or over it.
	exhausted bool

	rejectedBy []v1alpha1.RejectedRequests
	waits      *sources.Buckets
	waitsKnown bool
	// longWaits out of allWaits took more than longWaitSeconds.
	longWaits, allWaits float64
	// missing names the metrics that the pressure would have needed.
	missing []string
	// lacking names those that other figures would have needed.
	lacking []string
}

func newRow(i *instance, level string, spec *v1alpha1.APFHeadroomSpec) *row {
	r := &row{
		instance: i,
		level:    level,
		exempt:   spec.Type == string(flowcontrolv1.PriorityLevelEnablementExempt),
	}
	r.Instance = i.Name
	r.readSeats(queueCapacity(spec))
	r.readRequests()
	r.Pressure = r.pressure()
	return r
}

// readSeats reads the gauges, which are true from the first sample on.
func (r *row) readSeats(capacity *int64) {
	r.NominalSeats, _ = r.instance.gauge(nominalLimit, r.level)
	r.need(r.NominalSeats != nil || r.exempt, nominalLimit)
	r.readCurrentLimit()
	if r.counted() {
		r.ExecutingSeats, r.PeakExecutingSeats = r.instance.gauge(executing, r.level)
		r.need(r.ExecutingSeats != nil, executing)
	} else {
		r.want(false, executing)
	}
	_, r.PeakDemandSeats = r.instance.gauge(peakDemand, r.level)
	r.SmoothedDemandSeats, _ = r.instance.gauge(smoothedDemand, r.level)
	if !r.exempt {
		r.want(r.SmoothedDemandSeats != nil, smoothedDemand)
		r.readHeadrooms()
		r.readExhaustion()
		r.readUtilization()
	}
	r.QueuedRequests, _ = r.instance.gauge(queuedRequests, r.level)
	r.need(r.QueuedRequests != nil || r.exempt, queuedRequests)
	r.QueuedSeats, _ = r.instance.gauge(queuedSeats, r.level)
	r.QueueCapacityRequests = capacity
}

// counted says that the kube-apiserver counts the seats that the level takes. Those of
// exempt levels it counts since 1.28, when it also began to give them limits; before,
// their requests passed by the queue sets (apf_controller.go startRequest), and no series
// is not zero.
func (r *row) counted() bool {
	return !r.exempt || r.NominalSeats != nil || len(r.instance.series[executing][r.level]) > 0
}

// readCurrentLimit reads the limit in force. That of an exempt level limits nobody (its
// queue set has no queues and dispatches at once): it is what the level keeps.
func (r *row) readCurrentLimit() {
	if r.exempt {
		return
	}
	r.CurrentLimitSeats, _ = r.instance.gauge(currentLimit, r.level)
	// Limits move since 1.26, which brought the demand and the current limit at
	// once. Where neither is seen the nominal limit is the one in force. Where
	// one is, the current limit of this level was lost and is not guessed.
	if r.CurrentLimitSeats == nil && !r.instance.has(currentLimit) && !r.instance.has(peakDemand) {
		r.CurrentLimitSeats = r.NominalSeats
		return
	}
	r.need(r.CurrentLimitSeats != nil, currentLimit)
}

// readHeadrooms takes the seats in use from each of the three limits.
func (r *row) readHeadrooms() {
	r.reclaimed, r.ReachableLimitSeats = r.instance.limitsWithinReach(r.level, r.NominalSeats, r.want)
	if r.ExecutingSeats == nil {
		return
	}
	left := func(limit *int64) *int64 {
		if limit == nil {
			return nil
		}
		return new(*limit - *r.ExecutingSeats)
	}
	r.HeadroomSeats = left(r.CurrentLimitSeats)
	r.NominalHeadroomSeats = left(r.reclaimed)
	r.ReachableHeadroomSeats = left(r.ReachableLimitSeats)
}

// readUtilization reads the use of seats over all of the window.
func (r *row) readUtilization() {
	r.Utilization = seatUtilization(r.instance.only(utilization, r.level))
	switch {
	case r.Utilization != nil:
		r.PeakSource = v1alpha1.PeakSourceSeatUtilization
	case r.PeakExecutingSeats != nil:
		r.PeakSource = v1alpha1.PeakSourceSamples
	}
	r.want(r.Utilization != nil, utilization)
}

// readRequests reads what happened since instance.First.
func (r *row) readRequests() {
	r.DispatchedRequests = r.instance.increase(dispatched, r.level)
	r.need(r.DispatchedRequests != nil, dispatched)
	r.RejectedRequests = r.instance.increase(rejected, r.level)
	r.need(r.RejectedRequests != nil || r.exempt, rejected)
	r.rejectedBy = r.instance.rejections(r.level)
	r.want(r.instance.tells(execution, r.level), execution)
	r.want(r.instance.tells(width, r.level), width)
	if r.exempt {
		return
	}
	r.waits, r.waitsKnown = r.instance.histogram(r.level)
	r.need(r.waitsKnown, waits)
	if !r.waitsKnown {
		return
	}
	r.WaitP99Milliseconds, _ = waitP99(r.waits)
	long, all, known := longWaits(r.waits)
	if !known {
		r.missing = append(r.missing, declared(waits).Metrics[0]+`_bucket{le="0.1"}`)
		return
	}
	r.longWaits, r.allWaits = long, all
}

// want notes the metric of a signal as lacking unless its figure is known.
func (r *row) want(known bool, signal string) {
	if !known {
		r.lacking = append(r.lacking, declared(signal).Metrics[0])
	}
}

// need notes the metric of a signal as missing unless its figure is known.
func (r *row) need(known bool, signal string) {
	if !known {
		r.missing = append(r.missing, declared(signal).Metrics[0])
	}
}
