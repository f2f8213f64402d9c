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
	// ReasonResourcesUnknown: which resources are built in is not known.
	ReasonResourcesUnknown = "ResourcesUnknown"
	// ReasonResourceUnclassified: a key does not hold whose resource is not known
	// to the cluster, but may be built in.
	ReasonResourceUnclassified = "ResourceUnclassified"

	// ReasonFewRequests: LowTraffic is True.
	ReasonFewRequests = "FewRequests"
	// ReasonEnoughRequests: LowTraffic is False.
	ReasonEnoughRequests = "EnoughRequests"
)
