// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=get,list,watch
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// APFHeadroom says how many API Priority & Fairness seats are left in one
// priority level, and who is turned away. Seats do not move between
// kube-apiservers: the worst instance leads, the sum over all follows.
type APFHeadroom struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds the name of the PriorityLevelConfiguration.
	// creationTimestamp and uid stay unset: headroom is computed, not created.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the configuration of the priority level as it stands.
	Spec APFHeadroomSpec `json:"spec"`
	// status is the measurement.
	Status APFHeadroomStatus `json:"status"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// APFHeadroomList is one evaluation of all priority levels: every item was
// derived from the same metrics, read at the same instant.
type APFHeadroomList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds the resourceVersion of the evaluation.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are sorted by name.
	Items []APFHeadroom `json:"items"`
}

// APFHeadroomSpec is the configuration of a priority level.
type APFHeadroomSpec struct {
	// type is Limited or Exempt. Requests of an Exempt level are never throttled.
	Type string `json:"type"`
	// nominalConcurrencyShares is the weight by which the level gets its nominal
	// seats out of the concurrency limit of each kube-apiserver.
	// +optional
	NominalConcurrencyShares *int32 `json:"nominalConcurrencyShares,omitempty"`
	// lendablePercent is the share of its nominal seats, in percent, that other
	// levels may borrow.
	// +optional
	LendablePercent *int32 `json:"lendablePercent,omitempty"`
	// borrowingLimitPercent limits the seats the level may borrow, in percent of
	// its nominal seats. Absent: no limit of its own.
	// +optional
	BorrowingLimitPercent *int32 `json:"borrowingLimitPercent,omitempty"`
	// limitResponse is what happens to a request that finds no seat. Absent for
	// Exempt levels.
	// +optional
	LimitResponse *LimitResponse `json:"limitResponse,omitempty"`
	// flowSchemas are the flow schemas that send requests to this level, in the
	// order in which they are matched.
	// +listType=atomic
	// +optional
	FlowSchemas []FlowSchema `json:"flowSchemas,omitempty"`
}

// LimitResponse is what happens to a request that finds no seat.
type LimitResponse struct {
	// type is Queue or Reject.
	Type string `json:"type"`
	// queues is the number of queues of the level in each kube-apiserver.
	// +optional
	Queues *int32 `json:"queues,omitempty"`
	// handSize is the number of queues that a flow is dealt.
	// +optional
	HandSize *int32 `json:"handSize,omitempty"`
	// queueLengthLimit is the number of requests that fit into one queue.
	// +optional
	QueueLengthLimit *int32 `json:"queueLengthLimit,omitempty"`
}

// FlowSchema is a FlowSchema that feeds a priority level.
type FlowSchema struct {
	// name of the FlowSchema.
	Name string `json:"name"`
	// matchingPrecedence of the FlowSchema: the lowest number is tried first.
	MatchingPrecedence int32 `json:"matchingPrecedence"`
	// distinguisherMethod tells what makes a flow: ByUser or ByNamespace. Empty:
	// the whole schema is one flow.
	// +optional
	DistinguisherMethod string `json:"distinguisherMethod,omitempty"`
}

// APFHeadroomStatus is what was measured.
type APFHeadroomStatus struct {
	// observationTime is the end of the window: the time of the newest sample
	// that the figures use.
	// +optional
	ObservationTime *metav1.Time `json:"observationTime,omitempty"`
	// windowSeconds is the length of the window as measured, in seconds, from
	// the oldest to the newest sample used.
	// +optional
	WindowSeconds *int64 `json:"windowSeconds,omitempty"`
	// pressure is the state of the worst instance: Unlimited, Idle, Ok,
	// Queueing, Rejecting or Unknown.
	Pressure Pressure `json:"pressure"`
	// worst are the figures of the instance under the most pressure: the highest
	// pressure first, then the least headroom.
	// +optional
	Worst *InstanceSeats `json:"worst,omitempty"`
	// total sums the seats of all observed instances.
	// +optional
	Total *Seats `json:"total,omitempty"`
	// exhaustion is the soonest forecast over all observed instances, by likelyTime.
	// Absent when no instance has one.
	// +optional
	Exhaustion *Exhaustion `json:"exhaustion,omitempty"`
	// requests counts what became of requests in the window, over all observed
	// instances.
	// +optional
	Requests *RequestFigures `json:"requests,omitempty"`
	// flowSchemas says who uses the level: the ten flow schemas that took the most
	// of it in the window, over all observed instances. They are ordered by
	// estimatedSeatSeconds, which leave out what is held after the answer, then by the seats taken, by the requests rejected and by
	// those dispatched. Flow schemas without a request are left out.
	// +listType=atomic
	// +optional
	FlowSchemas []FlowSchemaUse `json:"flowSchemas,omitempty"`
	// flowSchemasOmitted is the number of flow schemas that had requests and are not
	// among flowSchemas. What of requests is not in flowSchemas is theirs.
	// +optional
	FlowSchemasOmitted *int64 `json:"flowSchemasOmitted,omitempty"`
	// instances tells how many kube-apiservers were read.
	// +optional
	Instances *InstanceCounts `json:"instances,omitempty"`
	// byInstance holds the figures of every observed kube-apiserver, sorted by
	// instance.
	// +listType=map
	// +listMapKey=instance
	// +optional
	ByInstance []InstanceSeats `json:"byInstance,omitempty"`
	// evidence says what the figures were made from. Absent when nothing was read.
	// +optional
	Evidence *Evidence `json:"evidence,omitempty"`
	// conditions are HasHeadroom, DataComplete, DataSound and ConfigurationSound.
	// DataSound is absent where nothing was read.
	// lastTransitionTime is when this server first saw the present state.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Pressure is the state of a priority level, from the best to the worst.
type Pressure string

const (
	// PressureUnlimited says that the level is exempt from limits.
	PressureUnlimited Pressure = "Unlimited"
	// PressureIdle says that no request came in the window and no seat is taken.
	PressureIdle Pressure = "Idle"
	// PressureOk says that requests found seats without waiting.
	PressureOk Pressure = "Ok"
	// PressureQueueing says that requests wait now, or that at least one in a
	// hundred waited for more than 100 milliseconds within the window.
	PressureQueueing Pressure = "Queueing"
	// PressureRejecting says that requests were rejected within the window.
	PressureRejecting Pressure = "Rejecting"
	// PressureUnknown says that the metrics do not tell.
	PressureUnknown Pressure = "Unknown"
)

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
