// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

// Warning is what a source has to say beside the figures, or instead of some.
type Warning struct {
	// Reason is one of the constants below: evaluations decide by it, never by the
	// message.
	Reason Reason
	// Component that it is about; "" for the source as a whole.
	Component Component
	// Instances that it is about, sorted; none when it is not about single ones.
	Instances []string
	// Message in plain English, with the remedy where there is one.
	Message string
}

// String is the message.
func (w Warning) String() string { return w.Message }

// Reason is a stable word for what may be wrong with a reading. Reasons are part of
// the API: conditions show them.
type Reason string

const (
	// QueryFailed says that the backend did not answer what was asked about a signal, or
	// about the instances of a component.
	QueryFailed Reason = "QueryFailed"
	// PartialResponse says that the backend says that its answer is not all it should be.
	PartialResponse Reason = "PartialResponse"
	// QueryRemark says that the backend has a remark on the text of a query.
	QueryRemark Reason = "QueryRemark"
	// TargetsUnknown says that which instances there are could not be found out, or none was.
	TargetsUnknown Reason = "TargetsUnknown"
	// TargetGone says that an instance is no longer a target. What it counted is included.
	TargetGone Reason = "TargetGone"
	// OwnServer says that an slo-apiserver is among the kube-apiservers. See Strangers.
	OwnServer Reason = "OwnServer"
	// RecordedRate says that the rate of a recording rule stands in for a histogram that is
	// not there: what was counted before the second sample of a series is not in it.
	RecordedRate Reason = "RecordedRate"
	// ForeignServer says that another server that is no kube-apiserver is among them.
	ForeignServer Reason = "ForeignServer"
	// ScrapedTwice says that several jobs scrape one instance. One of them is counted.
	ScrapedTwice Reason = "ScrapedTwice"
	// ConflictingSeries says that two series at a time are those of one instance. It is not read.
	ConflictingSeries Reason = "ConflictingSeries"
	// SeveralClusters says that the backend has instances of several clusters. None is read.
	SeveralClusters Reason = "SeveralClusters"
	// SharedAddress says that several processes answer at one address.
	SharedAddress Reason = "SharedAddress"
	// TwinInstances says that two instances started at the same moment, and may be one.
	TwinInstances Reason = "TwinInstances"
	// StaleSamples says that the newest sample of an instance is too old to speak for the
	// present.
	StaleSamples Reason = "StaleSamples"
	// FutureSamples says that the clock of the backend, or of a target, is ahead.
	FutureSamples Reason = "FutureSamples"
	// CounterReset says that a process started anew in the window. Counts of both are added up.
	CounterReset Reason = "CounterReset"
	// RestartsUnclear says that how often, or when, processes started anew in the window is
	// not known well enough to tell what they counted before they were sampled first.
	RestartsUnclear Reason = "RestartsUnclear"
	// SeriesLimit says that new series were left out over the limit of a target.
	SeriesLimit Reason = "SeriesLimit"
	// SeriesInvalid says that some series of a metric can not be read as what they should be.
	SeriesInvalid Reason = "SeriesInvalid"
	// BucketsDiffer says that the instances have a histogram with different buckets.
	BucketsDiffer Reason = "BucketsDiffer"
	// VersionsMixed says that a signal was read from more than one metric.
	VersionsMixed Reason = "VersionsMixed"
	// NativeHistogram says that figures are those of native histograms. What they count
	// within a bound that is none of theirs is interpolated: see Buckets.Interpolated.
	NativeHistogram Reason = "NativeHistogram"
)
