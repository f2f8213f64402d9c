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

// Indicator is a percentile of a latency, or a ratio, over a window, taken per key.
type Indicator struct {
	// type of the indicator: Latency or Ratio.
	Type IndicatorType `json:"type"`
	// key names the dimensions that split the indicator. The objective has to
	// hold for every key of its own. Empty: there is one key.
	// +listType=atomic
	// +optional
	Key []string `json:"key,omitempty"`
	// percentile of the latency, in percent, between 1 and 99. Absent for a Ratio.
	// +optional
	Percentile int32 `json:"percentile,omitempty"`
	// goodEvents say which requests of a Ratio are good: those that fit every entry.
	// Absent where badEvents say which are bad.
	// +listType=map
	// +listMapKey=label
	// +optional
	GoodEvents []LabelValues `json:"goodEvents,omitempty"`
	// badEvents say which requests of a Ratio are bad: those that fit every entry.
	// +listType=map
	// +listMapKey=label
	// +optional
	BadEvents []LabelValues `json:"badEvents,omitempty"`
	// windowSeconds is the length of the window, in seconds.
	WindowSeconds int64 `json:"windowSeconds"`
}

// IndicatorType is the type of an indicator.
type IndicatorType string

const (
	// IndicatorLatency is a percentile of request latencies.
	IndicatorLatency IndicatorType = "Latency"
	// IndicatorRatio is the share of good requests.
	IndicatorRatio IndicatorType = "Ratio"
)

// LabelValues are values of a label of a metric.
type LabelValues struct {
	// label of the metric.
	Label string `json:"label"`
	// values, one of which fits. 5xx stands for all of three digits that begin with
	// that one, and so do the other classes of codes.
	// +listType=atomic
	Values []string `json:"values"`
}

// DayObjective is the share of a day that has to be good.
type DayObjective struct {
	// goodMinutesPercent is the share of the 1440 minutes of a day, in percent,
	// that may not be bad.
	GoodMinutesPercent int32 `json:"goodMinutesPercent"`
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
	// indicator of type Ratio, it is how many were bad.
	// +optional
	SlowRequests *int64 `json:"slowRequests,omitempty"`
	// goodRatio is the share of requests that are not slow, over all keys that
	// count: a decimal in [0,1], rounded down to six digits.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
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

// Quantiles are latencies interpolated in histogram buckets as PromQL's
// histogram_quantile does. The verdict does not use them: it counts requests at
// the bucket bound that equals the threshold.
type Quantiles struct {
	// p50Milliseconds is the median latency, in milliseconds, rounded up.
	// +optional
	P50Milliseconds *int64 `json:"p50Milliseconds,omitempty"`
	// p90Milliseconds is the 90th percentile of the latency, in milliseconds,
	// rounded up.
	// +optional
	P90Milliseconds *int64 `json:"p90Milliseconds,omitempty"`
	// p99Milliseconds is the 99th percentile of the latency, in milliseconds,
	// rounded up. Where p99Bucket has no upper bound, the latency is more than
	// this.
	// +optional
	P99Milliseconds *int64 `json:"p99Milliseconds,omitempty"`
	// p99Bucket is the histogram bucket that holds the 99th percentile: all that
	// is known of it for sure.
	// +optional
	P99Bucket *LatencyBucket `json:"p99Bucket,omitempty"`
}

// LatencyBucket is a range of latencies.
type LatencyBucket struct {
	// overMilliseconds is the exclusive lower bound, in milliseconds.
	OverMilliseconds int64 `json:"overMilliseconds"`
	// upToMilliseconds is the inclusive upper bound, in milliseconds. Absent:
	// the bucket has none.
	// +optional
	UpToMilliseconds *int64 `json:"upToMilliseconds,omitempty"`
}

// KeyCounts counts the keys of an indicator.
type KeyCounts struct {
	// total is the number of keys that count, idle ones included.
	Total int64 `json:"total"`
	// violated is the number of keys that do not hold.
	Violated int64 `json:"violated"`
	// idle is the number of keys without a request in the window.
	Idle int64 `json:"idle"`
	// excluded counts keys that were seen but do not count for the objective,
	// by reason.
	// +listType=map
	// +listMapKey=reason
	// +optional
	Excluded []ExcludedKeys `json:"excluded,omitempty"`
}

// ExcludedKeys counts keys outside of an objective.
type ExcludedKeys struct {
	// reason why the keys do not count: AggregatedResource, CustomResource,
	// ExcludedByConfiguration, StreamingSubresource, UnknownResource or VirtualResource.
	Reason ExclusionReason `json:"reason"`
	// keys is the number of keys, idle ones included.
	Keys int64 `json:"keys"`
	// requests is the number of requests to them in the window.
	Requests int64 `json:"requests"`
}

// ExclusionReason says why a key does not count for an objective.
type ExclusionReason string

const (
	// ExcludedAggregatedResource marks resources served by another API server.
	ExcludedAggregatedResource ExclusionReason = "AggregatedResource"
	// ExcludedCustomResource marks resources defined by a CustomResourceDefinition.
	ExcludedCustomResource ExclusionReason = "CustomResource"
	// ExcludedByConfiguration marks what the objectives of the cluster exclude.
	ExcludedByConfiguration ExclusionReason = "ExcludedByConfiguration"
	// ExcludedStreamingSubresource marks log, exec, portforward, attach and proxy.
	ExcludedStreamingSubresource ExclusionReason = "StreamingSubresource"
	// ExcludedUnknownResource marks resources that discovery does not know, such
	// as those of a definition deleted within the window.
	ExcludedUnknownResource ExclusionReason = "UnknownResource"
	// ExcludedVirtualResource marks resources that are not stored, such as reviews.
	ExcludedVirtualResource ExclusionReason = "VirtualResource"
)

// KeyFigures are the figures of one key. Dimensions that the indicator does not
// split by are empty.
type KeyFigures struct {
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
	// requests is the number of requests in the window.
	Requests int64 `json:"requests"`
	// slowRequests is how many of them took longer than the threshold, or were bad.
	// Where the histogram has no bucket at the threshold: how many are not known to be
	// good. It is 0 where there is no threshold.
	SlowRequests int64 `json:"slowRequests"`
	// goodRatio is the share of requests that are not slow: a decimal in [0,1],
	// rounded down to six digits. Absent where there is no threshold.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
	// The quantiles of the key.
	Quantiles `json:",inline"`
}

// InstanceCounts tells how complete the metrics are.
type InstanceCounts struct {
	// expected is the number of processes that should have been read: of the
	// sample, where not all kubelets are read by choice.
	Expected int32 `json:"expected"`
	// observed is the number of processes whose metrics cover the window.
	Observed int32 `json:"observed"`
	// missing names processes that were expected and not observed: ten at most.
	// +listType=atomic
	// +optional
	Missing []string `json:"missing,omitempty"`
}
