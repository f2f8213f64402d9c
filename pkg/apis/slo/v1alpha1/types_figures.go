// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

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
	// overMilliseconds is the exclusive lower bound, in milliseconds, rounded down.
	OverMilliseconds int64 `json:"overMilliseconds"`
	// upToMilliseconds is the inclusive upper bound, in milliseconds, rounded up.
	// Absent: the bucket has none.
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
	// interpolated says that slowRequests and goodRatio are estimates: the threshold is
	// within a bucket of a native histogram that holds requests.
	// +optional
	Interpolated bool `json:"interpolated,omitempty"`
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
