// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

// Reasons of conditions. They are part of the API: clients may match them.
const (
	// ReasonAllKeysHold: Met is True, for every key with traffic.
	ReasonAllKeysHold = "AllKeysHold"
	// ReasonKeysViolated: Met is False, for at least one key.
	ReasonKeysViolated = "KeysViolated"
	// ReasonNoTraffic: Met is Unknown, since the metrics are complete and no
	// counted key had a request in the window.
	ReasonNoTraffic = "NoTraffic"

	// ReasonInformational: Met is Unknown, since there is no objective to meet.
	ReasonInformational = "Informational"

	// ReasonAllInstancesObserved: DataComplete is True, every expected instance
	// was read and covers the window.
	ReasonAllInstancesObserved = "AllInstancesObserved"
	// ReasonSampled: DataComplete is False, since all instances that were chosen as
	// a sample were read, and the others never are. The verdict is that of the
	// sample.
	ReasonSampled = "Sampled"
	// ReasonNoInstances: no instance of the component was read.
	ReasonNoInstances = "NoInstances"
	// ReasonInstancesMissing: some expected instances were not read.
	ReasonInstancesMissing = "InstancesMissing"
	// ReasonWindowIncomplete: instances were read, but some not for all of the
	// window.
	ReasonWindowIncomplete = "WindowIncomplete"
	// ReasonMetricMissing: instances were read, and some or all lack the metric.
	ReasonMetricMissing = "MetricMissing"
	// ReasonHistogramInvalid: a histogram has no bucket +Inf, or counts that are
	// no numbers.
	ReasonHistogramInvalid = "HistogramInvalid"
	// ReasonThresholdBucketMissing: the bucket at the threshold was dropped, and
	// those around it do not prove the verdict either way.
	ReasonThresholdBucketMissing = "ThresholdBucketMissing"
	// ReasonLabelMissing: a label that tells good events from bad ones was dropped, and
	// what has it does not prove the verdict either way.
	ReasonLabelMissing = "LabelMissing"
	// ReasonResourcesUnknown: which resources are built in is not known.
	ReasonResourcesUnknown = "ResourcesUnknown"
	// ReasonResourceUnclassified: a key does not hold whose resource is not known
	// to the cluster, but may be built in.
	ReasonResourceUnclassified = "ResourceUnclassified"

	// ReasonTooFewInstances: the cluster has more instances of the component than the
	// source knows.
	ReasonTooFewInstances = "TooFewInstances"

	// ReasonNoFindings: DataSound is True, nothing speaks against the figures. All
	// other reasons of DataSound are those of package sources; Met is Unknown for one
	// of them where nothing good may be said.
	ReasonNoFindings = "NoFindings"

	// ReasonAsDefined: IndicatorFaithful is True, the metric is the indicator.
	ReasonAsDefined = "AsDefined"
	// ReasonListsStreamed: IndicatorFaithful is True, and some lists were streamed by a
	// watch instead, which the indicator leaves out.
	ReasonListsStreamed = "ListsStreamed"
	// ReasonWebhookTimeIncluded: the metric includes the time of webhooks, and of queues.
	ReasonWebhookTimeIncluded = "WebhookTimeIncluded"
	// ReasonQueueTimeIncluded: the metric includes the wait in queues.
	ReasonQueueTimeIncluded = "QueueTimeIncluded"
	// ReasonDryRunsIncluded: the metric includes dry runs. Met is Unknown for this
	// reason where the verdict depends on which requests they were.
	ReasonDryRunsIncluded = "DryRunsIncluded"
	// ReasonStatefulPodsIncluded: some kubelets include stateful pods and the time of
	// init containers.
	ReasonStatefulPodsIncluded = "StatefulPodsIncluded"
	// ReasonNativeHistogramInterpolated: there are native histograms only, and the
	// threshold is no bound of theirs. Met is Unknown for this reason where the verdict
	// depends on it.
	ReasonNativeHistogramInterpolated = "NativeHistogramInterpolated"
	// ReasonVersionUnknown: IndicatorFaithful is Unknown, it depends on a version.
	ReasonVersionUnknown = "VersionUnknown"

	// ReasonWithinLimits: PromisesKept is True.
	ReasonWithinLimits = "WithinLimits"
	// ReasonTooManyNodes: PromisesKept is False, for the number of nodes.
	ReasonTooManyNodes = "TooManyNodes"
	// ReasonTooManyPods: PromisesKept is False, for the number of pods.
	ReasonTooManyPods = "TooManyPods"
	// ReasonTooManyObjects: PromisesKept is False, for the objects of another type.
	ReasonTooManyObjects = "TooManyObjects"
	// ReasonChurnTooHigh: PromisesKept is False, for the changes of pods alone.
	ReasonChurnTooHigh = "ChurnTooHigh"
	// ReasonObjectsUnknown: PromisesKept is Unknown, how many objects there are is not
	// known.
	ReasonObjectsUnknown = "ObjectsUnknown"
	// ReasonNamespacesUnknown: PromisesKept is Unknown, there are more objects than one
	// namespace may have, and how many each has is not known.
	ReasonNamespacesUnknown = "NamespacesUnknown"
	// ReasonChurnUnknown: PromisesKept is Unknown, with requests that may or may not be
	// those of users, or are not counted, there is more churn than promised.
	ReasonChurnUnknown = "ChurnUnknown"

	// ReasonFewRequests: LowTraffic is True.
	ReasonFewRequests = "FewRequests"
	// ReasonEnoughRequests: LowTraffic is False.
	ReasonEnoughRequests = "EnoughRequests"
)
