// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package slo is what a service level objective of a cluster is, and its
// arithmetic: from a reading of the metrics to reports. It knows no clock, no
// I/O and no goroutine; the same arguments always give the same reports.
package slo

import (
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

const (
	// DefaultWindow is the window of all official indicators: "measured as 99th
	// percentile over last 5 minutes" (kubernetes/community, sig-scalability
	// slos/api_call_latency.md and slos/pod_startup_latency.md).
	DefaultWindow = 5 * time.Minute
	// DefaultMinimumRequests is the smallest number of requests of which one may
	// be slow without breaking a 99th percentile: 1/n exceeds 1% below n = 100.
	DefaultMinimumRequests = 100
)

// Objective is an indicator, a threshold on it, and the share of the day in which
// the threshold has to hold. Objectives are values; nobody changes their slices.
type Objective struct {
	// Name of the report.
	Name string
	// Description is the objective in one sentence.
	Description string
	// Component whose metrics are read.
	Component sources.Component
	// Official marks the objectives of SIG Scalability.
	Official bool
	// Informational objectives have no threshold: there are figures, and no verdict.
	Informational bool

	// Type of the indicator. The zero value is Latency.
	Type v1alpha1.IndicatorType
	// Signal is the name of the signal that is read, and Reads its declaration.
	Signal string
	Reads  sources.Signal
	// ownSignal: the signal is not built in, so that its name says nothing about it.
	ownSignal bool
	// Verbs and Scope select the series of the signal that belong to the
	// objective. Nil and "" select all.
	Verbs []string
	Scope string
	// Key names the labels of the signal that split the indicator: a subset of
	// group, resource, subresource and verb. Series that differ in other labels
	// are summed. Empty: there is one key.
	Key []string
	// Exclude holds what does not count: keys all of whose labels are those given.
	Exclude []map[string]string
	// Events names what one observation of the signal is, in the plural.
	Events string
	// EvenShares says that a great many instances hold a small share of the events
	// each, so that a few missing ones can be allowed for: see shares.
	EvenShares bool

	// Percentile that may not exceed Threshold, in percent, from 1 to 99: of a Latency.
	Percentile int32
	// Threshold is the highest good latency.
	Threshold time.Duration
	// Good or Bad events of a Ratio by the values of labels of the signal; the other
	// is nil. A value such as 5xx stands for all of three digits that begin so.
	Good, Bad map[string][]string
	// GoodMillionths that the good share of the events of a Ratio may not be below.
	GoodMillionths int64
	// Window of the indicator.
	Window time.Duration
	// MinimumRequests in the window below which a percentile means little.
	MinimumRequests int64
	// DayGoodPercent is the share of the minutes of a day that may not be bad.
	DayGoodPercent int32
}

// minutesPerDay is the number of slots of a cluster-day, one evaluation each.
const minutesPerDay = 24 * 60

// badMinutesAllowed is the error budget of a day in minutes, rounded down: at 99%
// of 1440 minutes, 14 may be bad.
func (o Objective) badMinutesAllowed() int32 {
	return minutesPerDay * (100 - o.DayGoodPercent) / 100
}

// selects says whether series with this verb and scope belong to the objective.
// Whatever it does not select is no excluded key: it is not of this objective.
// That are WATCH, CONNECT (as log, exec, portforward, attach and proxy are
// recorded), DELETECOLLECTION, and what is no request for a resource (scope "").
func (o Objective) selects(verb, scope string) bool {
	return (o.Verbs == nil || slices.Contains(o.Verbs, verb)) && (o.Scope == "" || scope == o.Scope)
}

// goodMillionths is the share of events that have to be good.
func (o Objective) goodMillionths() int64 {
	if o.Type == v1alpha1.IndicatorRatio {
		return o.GoodMillionths
	}
	return int64(o.Percentile) * 10_000
}

// hasBad says that an event may be bad: that there is a threshold, or a ratio.
func (o Objective) hasBad() bool {
	return o.Type == v1alpha1.IndicatorRatio || o.Threshold > 0
}

// excludes says that the configuration excludes a key.
func (o Objective) excludes(k key) bool {
	return slices.ContainsFunc(o.Exclude, func(excluded map[string]string) bool {
		for label, value := range excluded {
			if k.label(label) != value {
				return false
			}
		}
		return true
	})
}

// thresholdSeconds is the number that the decimal is read as, as bounds of buckets are:
// Threshold.Seconds() may miss it by the last bit.
func (o Objective) thresholdSeconds() float64 {
	return float64(o.Threshold.Milliseconds()) / 1000
}

// perResource says that keys are resources of the API, some of which do not count. Where
// nothing is promised all of them are shown, and what is called a resource without its
// group is something else.
func (o Objective) perResource() bool {
	return !o.Informational && slices.Contains(o.Key, labelResource) && slices.Contains(o.Key, labelGroup)
}
