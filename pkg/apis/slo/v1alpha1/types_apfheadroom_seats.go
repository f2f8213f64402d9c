// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Seats are the seats and queues of a priority level, in one kube-apiserver or
// summed over several. A wide request, such as a large LIST, takes several seats.
type Seats struct {
	// nominalSeats is the level's own share of the concurrency limit, in seats.
	// +optional
	NominalSeats *int64 `json:"nominalSeats,omitempty"`
	// currentLimitSeats is the limit in force after lending and borrowing, in
	// seats; it is adjusted every ten seconds. Absent for Exempt levels, which have none.
	// +optional
	CurrentLimitSeats *int64 `json:"currentLimitSeats,omitempty"`
	// reachableLimitSeats is the highest limit that the level can get and keep, in
	// seats: all nominal seats less those that the other limited levels never lend, but
	// no more than its own borrowing limit allows. It gets that many only while the
	// others need no more than their minimum. Where exempt requests wanted so many seats
	// in the last ten seconds that the others have less than their nominal ones, it is
	// what they leave, and never less than the minimum of the level. Absent for Exempt
	// levels, and when it is not known what exempt requests want.
	// +optional
	ReachableLimitSeats *int64 `json:"reachableLimitSeats,omitempty"`
	// executingSeats is the number of seats taken at the newest sample. kube-apiservers
	// before 1.28 do not count those of Exempt levels.
	// +optional
	ExecutingSeats *int64 `json:"executingSeats,omitempty"`
	// peakExecutingSeats is the highest number of taken seats in any sample of
	// the window. Bursts between two samples are not in it, but in utilization.
	// +optional
	PeakExecutingSeats *int64 `json:"peakExecutingSeats,omitempty"`
	// peakDemandSeats is the highest number of seats taken or waited for in those
	// ten-second periods of the kube-apiserver that ended right before a sample of
	// the window. Where samples are further apart than ten seconds, periods between
	// them are not in it.
	// +optional
	PeakDemandSeats *int64 `json:"peakDemandSeats,omitempty"`
	// smoothedDemandSeats is the demand that the kube-apiserver shares out seats by,
	// at the newest sample, rounded: it rises at once to the mean and the standard
	// deviation of the last ten seconds, and falls by half in five minutes.
	// +optional
	SmoothedDemandSeats *int64 `json:"smoothedDemandSeats,omitempty"`
	// headroomSeats is currentLimitSeats less executingSeats: what fits now.
	// Negative when a wide request overshoots the limit. Absent for Exempt
	// levels, which have no limit.
	// +optional
	HeadroomSeats *int64 `json:"headroomSeats,omitempty"`
	// nominalHeadroomSeats is what fits once the level has back what it lent, which takes
	// up to ten seconds: nominalSeats less executingSeats, or less than that where exempt
	// requests, and the other levels, wanted so many seats in the last ten seconds that
	// not all of nominalSeats come back. Negative while borrowed seats are taken. Absent
	// for Exempt levels, and when it is not known what exempt requests want.
	// +optional
	NominalHeadroomSeats *int64 `json:"nominalHeadroomSeats,omitempty"`
	// reachableHeadroomSeats is reachableLimitSeats less executingSeats: what fits at
	// most, with all that the level could borrow. Negative when a wide request
	// overshoots. Absent for Exempt levels.
	// +optional
	ReachableHeadroomSeats *int64 `json:"reachableHeadroomSeats,omitempty"`
	// queuedRequests is the number of requests waiting at the newest sample.
	// +optional
	QueuedRequests *int64 `json:"queuedRequests,omitempty"`
	// queuedSeats is the number of seats the waiting requests ask for.
	// +optional
	QueuedSeats *int64 `json:"queuedSeats,omitempty"`
	// queueCapacityRequests is the number of requests that fit into all queues.
	// A single flow reaches handSize of the queues only.
	// +optional
	QueueCapacityRequests *int64 `json:"queueCapacityRequests,omitempty"`
}

// InstanceSeats are the figures of a priority level in one kube-apiserver.
type InstanceSeats struct {
	// instance is the address of the kube-apiserver.
	Instance string `json:"instance"`
	// pressure of the level in this instance.
	Pressure Pressure `json:"pressure"`
	Seats    `json:",inline"`
	// utilization is the use of the level's seats over all of the window, bursts
	// included. Absent for Exempt levels and for a kube-apiserver that does not
	// tell, which are those before 1.26.
	// +optional
	Utilization *SeatUtilization `json:"utilization,omitempty"`
	// peakSource says what the peak use of seats is known from: SeatUtilization when
	// utilization has it, Samples when there is only peakExecutingSeats, which misses
	// bursts. Absent for Exempt levels and when there is neither.
	// +optional
	PeakSource PeakSource `json:"peakSource,omitempty"`
	// exhaustion is when the level reaches its highest limit in this instance, if demand
	// goes on rising as in the window. Absent when there is no forecast.
	// +optional
	Exhaustion *Exhaustion `json:"exhaustion,omitempty"`
	// dispatchedRequests is the number of requests that got seats in the window.
	// +optional
	DispatchedRequests *int64 `json:"dispatchedRequests,omitempty"`
	// rejectedRequests is the number of requests turned away in the window.
	// +optional
	RejectedRequests *int64 `json:"rejectedRequests,omitempty"`
	// waitP99Milliseconds is the 99th percentile of the time in the window that
	// requests waited until they got seats or gave up, in milliseconds, rounded up.
	// +optional
	WaitP99Milliseconds *int64 `json:"waitP99Milliseconds,omitempty"`
}

// RequestFigures counts what became of requests in the window.
type RequestFigures struct {
	// dispatched is the number of requests that got seats.
	// +optional
	Dispatched *int64 `json:"dispatched,omitempty"`
	// rejected is the number of requests turned away. They are in no latency
	// histogram, and so in no SLOReport.
	// +optional
	Rejected *int64 `json:"rejected,omitempty"`
	// rejectedBy splits rejected by flow schema and reason, the most first.
	// +listType=atomic
	// +optional
	RejectedBy []RejectedRequests `json:"rejectedBy,omitempty"`
	// waitP99Milliseconds is the 99th percentile of the time that requests waited
	// until they got seats or gave up, in milliseconds, rounded up. Requests that
	// were rejected on arrival did not wait.
	// +optional
	WaitP99Milliseconds *int64 `json:"waitP99Milliseconds,omitempty"`
	// waitP99Bucket is the histogram bucket that holds the 99th percentile.
	// +optional
	WaitP99Bucket *LatencyBucket `json:"waitP99Bucket,omitempty"`
}

// RejectedRequests counts requests turned away for one reason.
type RejectedRequests struct {
	// flowSchema that the requests matched.
	FlowSchema string `json:"flowSchema"`
	// reason is queue-full, concurrency-limit, time-out or cancelled.
	Reason string `json:"reason"`
	// requests is their number in the window.
	Requests int64 `json:"requests"`
}
