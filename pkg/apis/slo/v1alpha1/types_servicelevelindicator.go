// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=get,list,watch
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ServiceLevelIndicator is one key of an objective: the figures behind an
// SLOReport, for each of its keys instead of the ten worst. Keys that do not count
// for the objective are there, too, and marked as Excluded.
type ServiceLevelIndicator struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds a name that is made from the report and the key, such as
	// api-latency-mutating.patch.deployments--scale.apps, and labels with both. A
	// part that is no value of a label is in spec only. creationTimestamp and uid
	// stay unset: an indicator is computed, not created.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the key, and what it is held to.
	Spec ServiceLevelIndicatorSpec `json:"spec"`
	// status is the measurement.
	Status ServiceLevelIndicatorStatus `json:"status"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ServiceLevelIndicatorList is one evaluation of all keys of all objectives: every
// item was derived from the same metrics, read at the same instant. That holds for
// all pages of a list, too.
type ServiceLevelIndicatorList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds the resourceVersion of the evaluation.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are sorted by name.
	Items []ServiceLevelIndicator `json:"items"`
}

// ServiceLevelIndicatorSpec is a key of an objective. Dimensions that the
// objective does not split by are empty.
type ServiceLevelIndicatorSpec struct {
	// report is the name of the SLOReport that the key is of.
	Report string `json:"report"`
	// group is the API group; empty for the core group.
	// +optional
	Group string `json:"group,omitempty"`
	// resource is the plural name of the resource.
	// +optional
	Resource string `json:"resource,omitempty"`
	// subresource is the name of the subresource, if any.
	// +optional
	Subresource string `json:"subresource,omitempty"`
	// verb is the verb as the metrics have it: POST, PUT, PATCH, APPLY, DELETE.
	// +optional
	Verb string `json:"verb,omitempty"`
	// scope of the requests as the metrics have it: resource, namespace or cluster.
	// Empty: any.
	// +optional
	Scope string `json:"scope,omitempty"`
	// thresholdMilliseconds is the highest latency, in milliseconds, at which a
	// request is good. Absent for an indicator without one.
	// +optional
	ThresholdMilliseconds int64 `json:"thresholdMilliseconds,omitempty"`
	// percentile of the latency that may not exceed the threshold, in percent. Absent
	// for an indicator that is no Latency.
	// +optional
	Percentile int32 `json:"percentile,omitempty"`
}

// ServiceLevelIndicatorStatus is what was measured of a key.
type ServiceLevelIndicatorStatus struct {
	// observationTime is that of the SLOReport: the time of the newest sample.
	// +optional
	ObservationTime *metav1.Time `json:"observationTime,omitempty"`
	// windowSeconds is that of the SLOReport: the length of the window as measured,
	// in seconds.
	// +optional
	WindowSeconds *int64 `json:"windowSeconds,omitempty"`
	// outcome of the key in the window: Met, Violated, NoTraffic, Unknown,
	// Informational or Excluded.
	Outcome IndicatorOutcome `json:"outcome"`
	// reason of the outcomes Unknown and Excluded, in CamelCase: a reason of the
	// condition Met of the SLOReport, or one for which reports exclude keys.
	// +optional
	Reason string `json:"reason,omitempty"`
	// requests is the number of requests in the window. Absent when the histogram
	// of the key can not be read, or nothing was.
	// +optional
	Requests *int64 `json:"requests,omitempty"`
	// slowRequests is how many of the requests took longer than the threshold, or were
	// bad. Absent as well when the histogram has no bucket at the threshold, or series
	// lack a label that tells.
	// +optional
	SlowRequests *int64 `json:"slowRequests,omitempty"`
	// goodRatio is the share of requests within the threshold: a decimal in [0,1], rounded
	// down to six digits. Absent without requests or slowRequests.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
	// interpolated says that slowRequests and goodRatio are estimates: the threshold is
	// within a bucket of a native histogram that holds requests.
	// +optional
	Interpolated bool `json:"interpolated,omitempty"`
	// The quantiles of the indicator.
	Quantiles `json:",inline"`
	// total is the latency as callers see it, with webhooks and queues. Absent without
	// requests, and for indicators of anything but requests to kube-apiservers.
	// +optional
	Total *TotalLatency `json:"total,omitempty"`
	// day counts the minutes of the last 24 hours. Absent for a key of which no
	// minute was good or bad, and for one that is Excluded.
	// +optional
	Day *IndicatorDay `json:"day,omitempty"`
	// evidence says how to repeat the figures. Absent when nothing was read.
	// +optional
	Evidence *IndicatorEvidence `json:"evidence,omitempty"`
}

// IndicatorOutcome is the outcome of a key in the window.
type IndicatorOutcome string

const (
	// OutcomeMet says that the percentile is within the threshold.
	OutcomeMet IndicatorOutcome = "Met"
	// OutcomeViolated says that the percentile is over the threshold.
	OutcomeViolated IndicatorOutcome = "Violated"
	// OutcomeNoTraffic says that the metrics are complete and no request came.
	OutcomeNoTraffic IndicatorOutcome = "NoTraffic"
	// OutcomeUnknown says that the metrics do not tell; reason says why.
	OutcomeUnknown IndicatorOutcome = "Unknown"
	// OutcomeInformational says that there are figures, and no objective to hold
	// them against.
	OutcomeInformational IndicatorOutcome = "Informational"
	// OutcomeExcluded says that the key does not count for the objective; reason
	// says why.
	OutcomeExcluded IndicatorOutcome = "Excluded"
)

// IndicatorDay counts the minutes of the last 24 hours of one key. The four counts
// add up to 1440. Neither idle nor unknown minutes are good.
type IndicatorDay struct {
	// goodMinutes is the number of minutes in which the key held.
	GoodMinutes int32 `json:"goodMinutes"`
	// badMinutes is the number of minutes in which the key did not hold.
	BadMinutes int32 `json:"badMinutes"`
	// idleMinutes is the number of minutes without requests.
	IdleMinutes int32 `json:"idleMinutes"`
	// unknownMinutes is the number of minutes without a verdict.
	UnknownMinutes int32 `json:"unknownMinutes"`
	// goodRatio is the attainment, goodMinutes / (goodMinutes + badMinutes): a
	// decimal in [0,1], rounded down to six digits. Absent without such a minute.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
	// lastBadTime is the start of the last bad minute.
	// +optional
	LastBadTime *metav1.Time `json:"lastBadTime,omitempty"`
}
