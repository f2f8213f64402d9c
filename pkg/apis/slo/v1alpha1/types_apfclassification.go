// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
