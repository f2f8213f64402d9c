// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package objectives is the file format of objectives: the catalog that is built
// in, and the file by which a cluster changes and adds to it. What it returns was
// checked as a whole; every error names the line and the field. It reads no files.
package objectives

import (
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// APIVersion and Kind of the files.
const (
	APIVersion = "config.slo.example.io/v1alpha1"
	Kind       = "ObjectiveCatalog"
)

// Components whose metrics can be read by some source.
const (
	KubeProxy sources.Component = "kube-proxy"
	CoreDNS   sources.Component = "coredns"
)

// Type of an indicator.
type Type string

const (
	// Latency is a percentile of a histogram.
	Latency Type = "Latency"
	// Ratio is the share of good events of a counter.
	Ratio Type = "Ratio"
)

// RatioOne is a ratio of 1: ratios are held in millionths.
const RatioOne = 1_000_000

// Catalog is what is in force. It is not changed after it was made.
type Catalog struct {
	// Objectives are sorted by name.
	Objectives []Objective
	// Signals that the objectives read, in the order of their declaration.
	Signals []Signal
	// Profiles that were chosen, sorted.
	Profiles []string
}

// Signal is something to read.
type Signal struct {
	sources.Signal
	// BucketSeconds are the bounds of the histogram, as far as they are known,
	// without +Inf. Empty: they are not.
	BucketSeconds []float64
	// BuiltIn signals are those of the catalog that is built in.
	BuiltIn bool
}

// Objective is an indicator, a threshold on it, and the share of the day in which
// the threshold has to hold.
type Objective struct {
	Name        string
	Description string
	// Official objectives are those of SIG Scalability, with its indicator,
	// threshold and day.
	Official bool
	// Informational objectives have no threshold, and so no verdict.
	Informational bool
	Type          Type
	// Signal by its name.
	Signal string
	// Events names one observation of the signal, in the plural.
	Events string
	// EvenShares says that a great many instances hold a small share of the events
	// each.
	EvenShares bool

	// Verbs and Scope select series. Nil and "" select all.
	Verbs []string
	Scope string
	// Key names the labels that split the indicator.
	Key []string
	// Exclude holds what does not count: keys all of whose labels are those given.
	Exclude []map[string]string

	// Percentile and Threshold of a Latency.
	Percentile int32
	Threshold  time.Duration
	// Good or Bad events of a Ratio, by the values of a label: the other is nil. A
	// value such as 5xx stands for all of three digits that begin with that one.
	Good, Bad map[string][]string
	// GoodRatio that a Ratio may not fall below, in millionths.
	GoodRatio int64

	// MinimumRequests is nil where the default of the server is to be used.
	MinimumRequests    *int64
	GoodMinutesPercent int32
}

// KeyLabels are the labels that may split an indicator: the dimensions that
// reports have.
func KeyLabels() []string { return []string{"group", "resource", "subresource", "verb"} }

// ThresholdSeconds is the number that a decimal such as 1.118 is read as, which bounds of
// buckets are: Threshold.Seconds() adds up a whole and a fraction, and may miss it by the
// last bit.
func (o Objective) ThresholdSeconds() float64 {
	return float64(o.Threshold.Milliseconds()) / 1000
}
