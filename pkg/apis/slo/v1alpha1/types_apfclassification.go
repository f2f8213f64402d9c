// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=create
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// APFClassification asks how API Priority & Fairness treats a request of a user:
// which flow schema matches it, which priority level it takes seats of, how many,
// and what is free there. It is a review: it can only be created, the answer is in
// its status, and nothing is stored or sent to a kube-apiserver.
type APFClassification struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is not looked at: a review has no name.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the request that is asked about.
	Spec APFClassificationSpec `json:"spec"`
	// status is the answer. What a caller sends here is ignored.
	// +optional
	Status APFClassificationStatus `json:"status,omitempty"`
}

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=create
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// SelfAPFClassification is an APFClassification of a request of the caller itself.
// It is a resource of its own so that a user may be allowed to ask about nobody
// else.
type SelfAPFClassification struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is not looked at: a review has no name.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the request that is asked about.
	Spec SelfAPFClassificationSpec `json:"spec"`
	// status is the answer. What a caller sends here is ignored.
	// +optional
	Status APFClassificationStatus `json:"status,omitempty"`
}

// APFClassificationSpec is a request of a user.
type APFClassificationSpec struct {
	// user is the name of the user, as authentication gives it. A service account
	// is system:serviceaccount:NAMESPACE:NAME, a request without credentials is of
	// system:anonymous.
	User string `json:"user"`
	// groups of the user. What every user is in need not be given, by the rules of
	// impersonation: system:authenticated or system:unauthenticated are added, and
	// to a service account without any groups those of service accounts.
	// +listType=atomic
	// +optional
	Groups            []string `json:"groups,omitempty"`
	ClassifiedRequest `json:",inline"`
}

// SelfAPFClassificationSpec is a request of the caller.
type SelfAPFClassificationSpec struct {
	ClassifiedRequest `json:",inline"`
}

// ClassifiedRequest is what is asked of a kube-apiserver. Exactly one of
// resourceAttributes and nonResourceAttributes is needed.
type ClassifiedRequest struct {
	// resourceAttributes describe a request for a resource.
	// +optional
	ResourceAttributes *ClassifiedResource `json:"resourceAttributes,omitempty"`
	// nonResourceAttributes describe a request for a path that is no resource, such
	// as /healthz.
	// +optional
	NonResourceAttributes *ClassifiedPath `json:"nonResourceAttributes,omitempty"`
	// counts are what a kube-apiserver knows and this server does not, for the
	// width of the request. Without them the width is a range.
	// +optional
	Counts *ClassifiedCounts `json:"counts,omitempty"`
}

// ClassifiedResource is a request for a resource.
type ClassifiedResource struct {
	// verb is get, list, watch, create, update, patch, delete or deletecollection.
	Verb string `json:"verb"`
	// group of the resource. Empty: the core group.
	// +optional
	Group string `json:"group,omitempty"`
	// version of the group. No rule of a flow schema looks at it. Default: v1.
	// +optional
	Version string `json:"version,omitempty"`
	// resource in the plural, without a subresource: pods.
	Resource string `json:"resource"`
	// subresource, such as status.
	// +optional
	Subresource string `json:"subresource,omitempty"`
	// namespace of the request. Empty: a cluster-scoped request, which a list over
	// all namespaces is, too.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// name of the object. Only a list or a watch of one name differs from that of
	// all, in its width; for the resource namespaces it is needed.
	// +optional
	Name string `json:"name,omitempty"`
	// options of a list or watch.
	// +optional
	Options *ClassifiedListOptions `json:"options,omitempty"`
}

// ClassifiedListOptions are those options of a list or watch that decide how many
// objects a kube-apiserver has to handle for it.
type ClassifiedListOptions struct {
	// labelSelector as in the query of the request.
	// +optional
	LabelSelector string `json:"labelSelector,omitempty"`
	// fieldSelector as in the query of the request.
	// +optional
	FieldSelector string `json:"fieldSelector,omitempty"`
	// limit is the size of a page, in objects. Zero: one page with all.
	// +optional
	Limit int64 `json:"limit,omitempty"`
	// resourceVersion as in the query of the request.
	// +optional
	ResourceVersion string `json:"resourceVersion,omitempty"`
	// resourceVersionMatch is Exact or NotOlderThan.
	// +optional
	ResourceVersionMatch string `json:"resourceVersionMatch,omitempty"`
	// sendInitialEvents tells whether a watch begins with all objects.
	// +optional
	SendInitialEvents *bool `json:"sendInitialEvents,omitempty"`
}

// ClassifiedPath is a request for a path that is no resource.
type ClassifiedPath struct {
	// verb is the method of HTTP in lower case: get, head, post, put, patch,
	// delete or options.
	Verb string `json:"verb"`
	// path of the URL, from its first slash.
	Path string `json:"path"`
}

// ClassifiedCounts are what a kube-apiserver estimates the width of a request by.
type ClassifiedCounts struct {
	// storedObjects is the number of objects of the resource in all namespaces:
	// apiserver_resource_objects of the kube-apiserver.
	// +optional
	StoredObjects *int64 `json:"storedObjects,omitempty"`
	// averageObjectBytes is their average size, in bytes:
	// apiserver_resource_size_estimate_bytes divided by storedObjects.
	// +optional
	AverageObjectBytes *int64 `json:"averageObjectBytes,omitempty"`
	// watchers is the number of watches of the kube-apiserver that get to know of
	// a change: apiserver_registered_watchers is its upper bound.
	// +optional
	Watchers *int64 `json:"watchers,omitempty"`
}

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
	// currentLimitSeats is the limit in force there, in seats.
	// +optional
	CurrentLimitSeats *int64 `json:"currentLimitSeats,omitempty"`
	// headroomSeats is what fits there now, in seats. Negative when a wide request
	// overshoots the limit; absent for Exempt levels, which have none.
	// +optional
	HeadroomSeats *int64 `json:"headroomSeats,omitempty"`
	// nominalHeadroomSeats is what fits there once the level has back what it lent,
	// within ten seconds, in seats. Absent for Exempt levels.
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
