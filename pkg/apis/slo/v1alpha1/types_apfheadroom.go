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
