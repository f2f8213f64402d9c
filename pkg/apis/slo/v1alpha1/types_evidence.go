// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Evidence says what figures were made from, so that anybody can repeat them.
type Evidence struct {
	// source of the metrics: Scrape or Prometheus.
	Source MetricsSource `json:"source"`
	// address of the Prometheus that was asked, without credentials.
	// +optional
	Address string `json:"address,omitempty"`
	// rule by which increases were taken: Exact, Extrapolated or BetweenSamples.
	Rule IncreaseRule `json:"rule"`
	// evaluationTime is the end of the window, at which queries were evaluated and
	// expressions are to be, to the millisecond. VictoriaMetrics, of which the rule is
	// BetweenSamples, has to be asked with the parameter nocache=1: without it, it answers
	// in part as of 30 s earlier.
	EvaluationTime metav1.MicroTime `json:"evaluationTime"`
	// newestSampleTime is the time of the newest sample of any instance.
	// +optional
	NewestSampleTime *metav1.MicroTime `json:"newestSampleTime,omitempty"`
	// ageSeconds is how old the newest sample was at evaluationTime, in seconds.
	// +optional
	AgeSeconds *int64 `json:"ageSeconds,omitempty"`
	// signals that were read, and the metrics that they were read from. Left out are those
	// of which the reason is Preferred and an expression in figures names the metric,
	// except for the signal that an SLOReport judges, which is the first.
	// +listType=map
	// +listMapKey=name
	// +optional
	Signals []SignalEvidence `json:"signals,omitempty"`
	// figures are PromQL, each for a figure of this status. With the rules Extrapolated
	// and BetweenSamples they give the same number at evaluationTime; of what is rounded,
	// too. With the rule Exact they are for a Prometheus that scrapes the same targets: they name no
	// scrape job, and its increases differ by what PromQL extrapolates. Where no series
	// answers the figure is 0. A quotient that is rounded may differ by one where it is
	// right between two numbers. Figures that have none follow from others, as ratios do,
	// or are made from one evaluation a minute, as day and requestBurnRates are.
	// +listType=map
	// +listMapKey=figure
	// +optional
	Figures []FigureEvidence `json:"figures,omitempty"`
	// targets are the instances that were read of the component of the objective or of
	// the kube-apiservers, sorted by name: ten at most. With the
	// rule Exact a counter rose by its value in the sample at lastSampleTime less that
	// in the sample at firstSampleTime, or less nothing where the instance started
	// then; and where it restarted in between, by the last value of the older process
	// besides.
	// +listType=map
	// +listMapKey=instance
	// +optional
	Targets []TargetEvidence `json:"targets,omitempty"`
	// targetsOmitted is the number of instances that were read and are not among
	// targets.
	// +optional
	TargetsOmitted *int64 `json:"targetsOmitted,omitempty"`
	// warnings of the source, ten at most, each cut after 300 bytes.
	// +listType=atomic
	// +optional
	Warnings []string `json:"warnings,omitempty"`
}

// MetricsSource is where metrics are from.
type MetricsSource string

const (
	// SourceScrape says that this server scraped the instances itself.
	SourceScrape MetricsSource = "Scrape"
	// SourcePrometheus says that a Prometheus was asked.
	SourcePrometheus MetricsSource = "Prometheus"
)

// IncreaseRule is how the increase of a counter is taken.
type IncreaseRule string

const (
	// IncreaseExact counts what was added between two samples.
	IncreaseExact IncreaseRule = "Exact"
	// IncreaseExtrapolated is PromQL's increase(), with what was born within the
	// window added. Instances that restarted in the window count as with Exact.
	IncreaseExtrapolated IncreaseRule = "Extrapolated"
	// IncreaseBetweenSamples is MetricsQL's increase(), which extends nothing, with what
	// was born within the window added. It is the rule of VictoriaMetrics. Instances that
	// restarted in the window count as with Exact.
	IncreaseBetweenSamples IncreaseRule = "BetweenSamples"
)

// SignalEvidence is what one signal was read from.
type SignalEvidence struct {
	// name of the signal.
	Name string `json:"name"`
	// metrics that the signal was read from, the preferred one first. Empty: no
	// instance has any.
	// +listType=atomic
	// +optional
	Metrics []string `json:"metrics,omitempty"`
	// reason why these: Preferred, Fallback, MixedVersions or None.
	Reason MetricReason `json:"reason"`
	// message says what is not there, of which versions of Kubernetes it is, and what
	// is lost without it. Absent for the reason Preferred.
	// +optional
	Message string `json:"message,omitempty"`
	// series is the number of label sets of the signal that the figures are made from.
	Series int64 `json:"series"`
	// queries as they were sent at evaluationTime, for all label sets of the signal at
	// once: of the signal that an SLOReport judges. Absent where the source sends none,
	// and for all other signals, of which figures have what is used.
	// +listType=atomic
	// +optional
	Queries []QueryEvidence `json:"queries,omitempty"`
	// queriesOmitted is the number of queries that were sent and are not among queries,
	// because they are longer than 16 KiB: they name thousands of instances.
	// +optional
	QueriesOmitted *int64 `json:"queriesOmitted,omitempty"`
}

// MetricReason says why metrics were chosen.
type MetricReason string

const (
	// MetricPreferred says that the first choice is there.
	MetricPreferred MetricReason = "Preferred"
	// MetricFallback says that the first choice is not there.
	MetricFallback MetricReason = "Fallback"
	// MetricMixedVersions says that instances have different ones, as those of several
	// versions do.
	MetricMixedVersions MetricReason = "MixedVersions"
	// MetricNone says that none is there.
	MetricNone MetricReason = "None"
)

// QueryEvidence is a query as it was sent.
type QueryEvidence struct {
	// role of the answer: Increase, or Buckets and Sum, to which BornBuckets and BornSum
	// are added; Born finds the label sets that these are of. Of native histograms
	// BornBuckets stand in place of Buckets with the same labels.
	Role string `json:"role"`
	// query in PromQL.
	Query string `json:"query"`
}

// FigureEvidence is how to repeat a figure.
type FigureEvidence struct {
	// figure by its path in this status. An expression may give a figure for each of
	// several things at once, whose labels name it:
	// byInstance for each instance, of which those of total and requests are the sum;
	// overhead.webhooks for each webhook by name and type, where the type admit is
	// Mutating; overhead.queues by priority_level; rejectedRequests.byReason by reason,
	// of which rejectedRequests.requests is the sum.
	// indicators is for each key by the labels in spec.indicator.key, excluded ones too:
	// the same figure in worst, and in the status of the key's ServiceLevelIndicator.
	// p50Milliseconds and p90Milliseconds are asked for as p99Milliseconds is, with 0.5
	// and 0.9 in place of 0.99, or 0.499999999 and 0.899999999 of 0.989999999.
	// conditions.TYPE is a number in the message of that condition, where it is rounded:
	// objects by resource and group, of two that name the same the higher one.
	Figure string `json:"figure"`
	// expression in PromQL; in MetricsQL with the rule BetweenSamples. For when and how
	// it is asked see evaluationTime.
	Expression string `json:"expression"`
}

// IndicatorEvidence says how to repeat the figures of a key. Those of all keys of a report
// are repeated at once: by the figures that begin with "indicators." in the evidence of the
// SLOReport spec.report, with the same metadata.resourceVersion. The answer names the key
// by the labels group, resource, subresource and verb, as far as the report is split by them,
// which have the values in spec. The metrics and the instances that were read stand there,
// too.
type IndicatorEvidence struct {
	// evaluationTime is that of the SLOReport, at which its expressions are to be
	// evaluated, to the millisecond. An expression of a later evaluation gives the figure
	// as well, unless instances or keys have come, gone or restarted since.
	EvaluationTime metav1.MicroTime `json:"evaluationTime"`
}

// TargetEvidence is an instance that was read.
type TargetEvidence struct {
	// instance is its name.
	Instance string `json:"instance"`
	// url that was scraped. Absent where a Prometheus was asked.
	// +optional
	URL string `json:"url,omitempty"`
	// firstSampleTime and lastSampleTime are the times of the samples between which
	// increases were taken. A firstSampleTime that is the startTime is no sample: all
	// counts are since then.
	FirstSampleTime metav1.MicroTime `json:"firstSampleTime"`
	// lastSampleTime is the time of the newest sample.
	LastSampleTime metav1.MicroTime `json:"lastSampleTime"`
	// startTime is when the process started, where that was within the window.
	// +optional
	StartTime *metav1.MicroTime `json:"startTime,omitempty"`
}
