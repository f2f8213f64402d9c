// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

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
