// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// APFClassificationStatus is how a request is treated. It holds for every
// kube-apiserver that has read the flow schemas and priority levels as they are
// now; each does so within moments of a change.
type APFClassificationStatus struct {
	// treatment is Exempt, Queue, Reject or LongRunning.
	// +optional
	Treatment Treatment `json:"treatment,omitempty"`
	// reason says why, in a sentence.
	// +optional
	Reason string `json:"reason,omitempty"`
	// user is whom the request was classified for.
	// +optional
	User *ClassifiedUser `json:"user,omitempty"`
	// flowSchema that matches. Absent for LongRunning.
	// +optional
	FlowSchema *MatchedFlowSchema `json:"flowSchema,omitempty"`
	// priorityLevel of the flow schema. Absent for LongRunning.
	// +optional
	PriorityLevel *MatchedPriorityLevel `json:"priorityLevel,omitempty"`
	// passedOver are flow schemas that match and come first, but refer to a
	// priority level that there is not: kube-apiservers ignore them, and the
	// request goes on to flowSchema.
	// +listType=atomic
	// +optional
	PassedOver []PassedOverFlowSchema `json:"passedOver,omitempty"`
	// flow is what the request shares its queues with. Absent where there are no
	// queues to share.
	// +optional
	Flow *Flow `json:"flow,omitempty"`
	// width is how many seats the request takes. Absent for LongRunning, which
	// takes none.
	// +optional
	Width *RequestWidth `json:"width,omitempty"`
	// queue is where the request waits while its level has no free seats. Absent
	// where it does not wait.
	// +optional
	Queue *FlowQueues `json:"queue,omitempty"`
	// headroom is what is free at the level. Absent for LongRunning, and when it is
	// not known: headroomProblem says why.
	// +optional
	Headroom *LevelHeadroom `json:"headroom,omitempty"`
	// headroomProblem says why headroom is not known.
	// +optional
	HeadroomProblem string `json:"headroomProblem,omitempty"`
}

// Treatment is what becomes of a request.
type Treatment string

const (
	// TreatmentExempt says that the request never waits and is never turned away.
	TreatmentExempt Treatment = "Exempt"
	// TreatmentQueue says that the request waits in a queue while there are not
	// enough free seats, and is turned away when that is full or takes too long.
	TreatmentQueue Treatment = "Queue"
	// TreatmentReject says that the request is turned away at once when there are
	// not enough free seats.
	TreatmentReject Treatment = "Reject"
	// TreatmentLongRunning says that the request is of a kind that kube-apiservers
	// do not classify, such as exec or logs: it takes no seats.
	TreatmentLongRunning Treatment = "LongRunning"
)

// ClassifiedUser is whom a request was classified for.
type ClassifiedUser struct {
	// name of the user.
	Name string `json:"name"`
	// groups of the user, with those that every such user is in.
	// +listType=atomic
	// +optional
	Groups []string `json:"groups,omitempty"`
}

// MatchedFlowSchema is the flow schema of a request.
type MatchedFlowSchema struct {
	// name of the FlowSchema.
	Name string `json:"name"`
	// uid is what kube-apiservers answer with, in the header
	// X-Kubernetes-PF-FlowSchema-UID. Empty when they stand in for a mandatory
	// object that is missing.
	// +optional
	UID types.UID `json:"uid,omitempty"`
	// matchingPrecedence of the FlowSchema: the lowest number is tried first.
	MatchingPrecedence int32 `json:"matchingPrecedence"`
	// ruleIndex is the place in spec.rules, from zero, of the first rule that
	// matches. Absent when no flow schema has one, and the request is of catch-all
	// for that.
	// +optional
	RuleIndex *int32 `json:"ruleIndex,omitempty"`
}

// MatchedPriorityLevel is the priority level of a request.
type MatchedPriorityLevel struct {
	// name of the PriorityLevelConfiguration, and of its APFHeadroom.
	Name string `json:"name"`
	// uid is what kube-apiservers answer with, in the header
	// X-Kubernetes-PF-PriorityLevel-UID. Empty when they stand in for a mandatory
	// object that is missing.
	// +optional
	UID types.UID `json:"uid,omitempty"`
}

// PassedOverFlowSchema is a flow schema that would match, were its priority level
// there.
type PassedOverFlowSchema struct {
	// name of the FlowSchema.
	Name string `json:"name"`
	// matchingPrecedence of the FlowSchema: the lowest number is tried first.
	MatchingPrecedence int32 `json:"matchingPrecedence"`
	// ruleIndex is the place in spec.rules, from zero, of the first rule that
	// matches.
	RuleIndex int32 `json:"ruleIndex"`
	// priorityLevel that the flow schema refers to.
	PriorityLevel string `json:"priorityLevel"`
	// problem with that level: that it is missing, or how it is broken.
	Problem string `json:"problem"`
}

// Flow is the requests that share a hand of queues, and are served in turn with
// those of other flows.
type Flow struct {
	// distinguisherMethod tells what makes a flow: ByUser or ByNamespace. Empty:
	// the whole flow schema is one flow.
	// +optional
	DistinguisherMethod string `json:"distinguisherMethod,omitempty"`
	// distinguisher is the name of the user or namespace. Empty as well for
	// ByNamespace and a cluster-scoped request.
	// +optional
	Distinguisher string `json:"distinguisher,omitempty"`
}

// RequestWidth is how many seats a request takes, by the estimate of Kubernetes
// 1.34 and later with default feature gates and etcd 3.5.13 or later. Up to 1.33
// the number of objects counts, not their size, and no request takes more than 10
// seats.
type RequestWidth struct {
	// initialSeats are taken while the request is executed; by a watch, until it
	// has sent the objects it begins with.
	InitialSeats SeatRange `json:"initialSeats"`
	// finalSeats are taken after a change is answered, for additionalLatency, while
	// watchers are told of it.
	FinalSeats SeatRange `json:"finalSeats"`
	// additionalLatencyMilliseconds is how long finalSeats are taken, in
	// milliseconds, rounded up. The caller does not wait for it. Absent when the
	// number of watchers is not known.
	// +optional
	AdditionalLatencyMilliseconds *int64 `json:"additionalLatencyMilliseconds,omitempty"`
	// unknown names what the estimate lacks: StoredObjects, AverageObjectBytes and
	// Watchers can be given in spec.counts, NominalSeats comes from the metrics.
	// Empty: a range is one only where kube-apiservers differ in nominal seats.
	// +listType=atomic
	// +optional
	Unknown []string `json:"unknown,omitempty"`
}

// What the estimate of a width may lack.
const (
	// UnknownStoredObjects is the number of objects of the resource.
	UnknownStoredObjects = "StoredObjects"
	// UnknownAverageObjectBytes is their average size.
	UnknownAverageObjectBytes = "AverageObjectBytes"
	// UnknownWatchers is the number of watchers of the object.
	UnknownWatchers = "Watchers"
	// UnknownNominalSeats is the nominal limit of the level, which caps the width.
	UnknownNominalSeats = "NominalSeats"
)

// SeatRange are bounds of a number of seats, both included.
type SeatRange struct {
	// atLeast is the lower bound, in seats.
	AtLeast int64 `json:"atLeast"`
	// atMost is the upper bound, in seats.
	AtMost int64 `json:"atMost"`
}

// FlowQueues are the queues of a flow, the same in every kube-apiserver.
type FlowQueues struct {
	// queues is the number of queues of the level.
	Queues int32 `json:"queues"`
	// hand are the indices, from zero, of the queues that the flow is dealt. A
	// request joins the one of them with the least work waiting.
	// +listType=atomic
	Hand []int32 `json:"hand"`
	// queueLengthLimit is the number of requests that fit into one queue.
	QueueLengthLimit int32 `json:"queueLengthLimit"`
	// maximumWaitMilliseconds is after how long in the queue the request is turned
	// away, in milliseconds: a quarter of the --request-timeout of the
	// kube-apiserver at its default of 60 seconds. A request with a shorter timeout
	// waits for up to a quarter of that.
	MaximumWaitMilliseconds int64 `json:"maximumWaitMilliseconds"`
}

// LevelHeadroom is what the APFHeadroom of the level says of its worst instance.
type LevelHeadroom struct {
	// observationTime is the time of the newest sample that the figures use.
	// +optional
	ObservationTime *metav1.Time `json:"observationTime,omitempty"`
	// pressure of the level.
	Pressure Pressure `json:"pressure"`
	// instance is the address of the kube-apiserver under the most pressure.
	// +optional
	Instance string `json:"instance,omitempty"`
	// currentLimitSeats is the limit in force there, in seats. Absent for Exempt levels,
	// which have none.
	// +optional
	CurrentLimitSeats *int64 `json:"currentLimitSeats,omitempty"`
	// headroomSeats is what fits there now, in seats. Negative when a wide request
	// overshoots the limit; absent for Exempt levels, which have none.
	// +optional
	HeadroomSeats *int64 `json:"headroomSeats,omitempty"`
	// nominalHeadroomSeats is what fits there once the level has back what it lent,
	// within ten seconds, in seats: not all of it while exempt requests want much.
	// Absent for Exempt levels.
	// +optional
	NominalHeadroomSeats *int64 `json:"nominalHeadroomSeats,omitempty"`
	// reachableHeadroomSeats is what fits there at most, with all that the level
	// could borrow, in seats. Absent for Exempt levels.
	// +optional
	ReachableHeadroomSeats *int64 `json:"reachableHeadroomSeats,omitempty"`
	// queuedRequests is the number of requests waiting there.
	// +optional
	QueuedRequests *int64 `json:"queuedRequests,omitempty"`
}
