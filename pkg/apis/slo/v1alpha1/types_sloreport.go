// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=get,list,watch
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// SLOReport says whether the cluster holds one service level objective, in the
// window that ends at status.observationTime and over the last day.
type SLOReport struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds the name of the objective. creationTimestamp and uid stay
	// unset: a report is computed, not created.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the objective as it is in force.
	Spec SLOReportSpec `json:"spec"`
	// status is the measurement.
	Status SLOReportStatus `json:"status"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// SLOReportList is one evaluation of all objectives: every item was derived from
// the same metrics, read at the same instant.
type SLOReportList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds the resourceVersion of the evaluation.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are sorted by name.
	Items []SLOReport `json:"items"`
}

// SLOReportSpec is an objective: an indicator, a threshold on it, and the share
// of the day in which the threshold has to hold.
type SLOReportSpec struct {
	// description is the objective in one sentence.
	Description string `json:"description"`
	// indicator is what is measured.
	Indicator Indicator `json:"indicator"`
	// thresholdMilliseconds is the highest latency, in milliseconds, at which a
	// request is good. A key holds when the percentile of the indicator does
	// not exceed it. Absent for an indicator that is no Latency, and where there is
	// no objective: see the verdict Informational.
	// +optional
	ThresholdMilliseconds int64 `json:"thresholdMilliseconds,omitempty"`
	// goodRatio is the share of good requests that a key of an indicator of type
	// Ratio may not fall below: a decimal between 0 and 1.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
	// minimumRequests is the number of requests in the window below which a
	// percentile means little. The verdict is strict all the same; the condition
	// LowTraffic stands beside it.
	MinimumRequests int64 `json:"minimumRequests"`
	// day is the part of the objective that holds over a day.
	Day DayObjective `json:"day"`
}

// SLOReportStatus is what was measured.
type SLOReportStatus struct {
	// observationTime is the end of the window: the time of the newest sample
	// that the report uses.
	// +optional
	ObservationTime *metav1.Time `json:"observationTime,omitempty"`
	// windowSeconds is the length of the window as measured, in seconds, from
	// the oldest to the newest sample used. It differs from
	// spec.indicator.windowSeconds when samples are missing.
	// +optional
	WindowSeconds *int64 `json:"windowSeconds,omitempty"`
	// verdict is the outcome in the window: Met, Violated, NoTraffic, Unknown or
	// Informational.
	// Where the condition DataComplete has the reason Sampled, it is that of a
	// sample of the instances: an estimate.
	Verdict Verdict `json:"verdict"`
	// requests is the number of requests in the window over all keys that count.
	// +optional
	Requests *int64 `json:"requests,omitempty"`
	// slowRequests is how many of the requests took longer than the threshold. Of an
	// indicator of type Ratio, it is how many were bad. Absent when that is not known of
	// one of the keys: see the condition Met.
	// +optional
	SlowRequests *int64 `json:"slowRequests,omitempty"`
	// goodRatio is the share of requests that are not slow, over all keys that
	// count: a decimal in [0,1], rounded down to six digits. Absent without requests or
	// slowRequests.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
	// interpolated says that slowRequests and goodRatio are estimates: the threshold is
	// within a bucket of a native histogram that holds requests. The verdict does not
	// rest on them. IndicatorFaithful, where there is that condition, has their bounds.
	// +optional
	Interpolated bool `json:"interpolated,omitempty"`
	// The quantiles are those of the worst key, the first in worst.
	Quantiles `json:",inline"`
	// keys counts the keys of the indicator.
	// +optional
	Keys *KeyCounts `json:"keys,omitempty"`
	// worst holds the ten worst keys, the worst first: violated keys before
	// others, then by falling latency at the percentile.
	// +listType=atomic
	// +optional
	Worst []KeyFigures `json:"worst,omitempty"`
	// finding says in a line what the verdict does not: that callers wait longer than
	// the indicator tells, and on what; that requests were turned away. Absent when
	// there is nothing to say.
	// +optional
	Finding string `json:"finding,omitempty"`
	// overhead is the time of callers that the indicator leaves out. Absent for
	// indicators of anything but requests to kube-apiservers.
	// +optional
	Overhead *Overhead `json:"overhead,omitempty"`
	// rejectedRequests were turned away by API Priority & Fairness. No latency holds
	// them. Absent when their number is not known.
	// +optional
	RejectedRequests *Rejections `json:"rejectedRequests,omitempty"`
	// instances tells how many of the processes that hold the metrics were read.
	// +optional
	Instances *InstanceCounts `json:"instances,omitempty"`
	// day counts the minutes of the last 24 hours. Absent for an objective whose
	// verdict can only be Informational.
	// +optional
	Day *DayMinutes `json:"day,omitempty"`
	// requestBurnRates tell how fast requests spent what may be bad of them, for an
	// indicator of type Ratio: over an hour, six hours and three days.
	// +listType=map
	// +listMapKey=windowMinutes
	// +optional
	RequestBurnRates []RequestBurnRate `json:"requestBurnRates,omitempty"`
	// evidence says what the figures were made from. Absent when nothing was read.
	// +optional
	Evidence *Evidence `json:"evidence,omitempty"`
	// conditions are Met, DataComplete, LowTraffic and DataSound and, where they apply,
	// IndicatorFaithful (the metrics are those of an indicator of SIG Scalability),
	// PromisesKept (the objective is official), DayComplete (it has a verdict) and
	// ObjectivesCurrent (there is a file of objectives). DataSound, IndicatorFaithful and
	// PromisesKept are absent where nothing was read.
	// lastTransitionTime is when this server first saw the present state.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Verdict is the outcome of an objective in the window.
type Verdict string

const (
	// VerdictMet says that every key with traffic holds.
	VerdictMet Verdict = "Met"
	// VerdictViolated says that at least one key does not hold.
	VerdictViolated Verdict = "Violated"
	// VerdictNoTraffic says that the metrics are complete and no request came.
	VerdictNoTraffic Verdict = "NoTraffic"
	// VerdictUnknown says that the metrics do not allow a verdict.
	VerdictUnknown Verdict = "Unknown"
	// VerdictInformational says that there are figures, and no objective to hold them
	// against.
	VerdictInformational Verdict = "Informational"
)
