// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sources is the contract between where metrics come from and what is
// made of them. A Source reads declared signals and knows no objective; an
// evaluation takes the Reading and knows no source, clock or I/O.
package sources

import (
	"context"
	"slices"
	"time"
)

// Source reads what its signals did in a window. The signals are given to the
// constructor of the source, so that it can fetch and keep nothing else.
type Source interface {
	// Read returns what the signals did over (at-window, at].
	//
	// Each instance is read between two of its own samples: the newest one not
	// after at, and the newest one not after at-window or, where there is none,
	// the oldest one there is. The times of both are in the Reading: a caller that
	// needs a full window checks Instance.Covered.
	//
	// An instance that can not be read is part of the answer (Observed is
	// false), not an error. An error means that nothing is known at all. The
	// Reading belongs to the caller, who may share it but may not change it.
	Read(ctx context.Context, at time.Time, window time.Duration) (*Reading, error)
}

// Component is a program of the cluster that exposes metrics.
type Component string

const (
	// KubeAPIServer exposes request latencies and API Priority & Fairness.
	KubeAPIServer Component = "kube-apiserver"
	// Kubelet exposes pod startup latencies.
	Kubelet Component = "kubelet"
)

// Kind tells how the values of a signal are read.
type Kind int

const (
	// Histogram is read as the increase of buckets, sum and count: of classic ones where
	// there are any.
	Histogram Kind = iota
	// Counter is read as its increase.
	Counter
	// Gauge is read as its newest value and its highest one in the window, and its
	// single ones where Signal.Samples asks for them. Series that are summed are
	// summed sample by sample.
	Gauge
)

// Signal declares something to read. It drives both the families the embedded
// source keeps and the queries sent to Prometheus.
type Signal struct {
	// Name identifies the signal in a Reading.
	Name string
	// Component that exposes it.
	Component Component
	// Kind of the metric.
	Kind Kind
	// Metrics names the families that carry the signal, the preferred one first.
	// Kubernetes renames metrics between versions, and some versions have both
	// names: an instance is read from the first that it has, never from two.
	Metrics []string
	// Labels to keep, in this order. Series that differ in others are summed.
	Labels []string
	// Match restricts the signal to series whose label has one of the values. An
	// absent label has the value "".
	Match map[string][]string
	// PerInstance keeps the series of each instance apart. Otherwise they are
	// summed after their increases, newest and highest values are taken.
	PerInstance bool
	// Samples keeps the single values of a Gauge signal in the window, beside the
	// newest and the highest. Only for Gauge signals that are PerInstance: the samples
	// of several instances are not of one time and have no sum.
	Samples bool
	// NewestOnly says of a Gauge signal that nobody asks for its highest value: Max is
	// then any value from Last on. Not together with Samples.
	NewestOnly bool
	// Optional says that instances without any of Metrics are usual: nobody waits for
	// them to appear.
	Optional bool
	// Recorded is what a recording rule makes of a Histogram signal: for stores that
	// have the rule and none of Metrics.
	Recorded Recording
	// Everywhere says that each instance exposes one of Metrics as soon as it
	// answers: one that does not is named in Result.Missing. It does not hold for
	// families that appear with their first use.
	Everywhere bool
}

// Recording is a recording rule that keeps the rate of the buckets of a histogram, with
// all of their labels, those of their target among them.
type Recording struct {
	// Rate is the name of the rule; "" says that there is none.
	Rate string
	// Window of the rate: no other window can be read from it.
	Window time.Duration
}

// Names of all that may carry the signal, the preferred one first.
func (s Signal) Names() []string {
	if s.Recorded.Rate == "" {
		return s.Metrics
	}
	return append(slices.Clone(s.Metrics), s.Recorded.Rate)
}

// Rule tells how increases were taken.
//
// Under each, what is born within the window counts from zero: what an instance
// lacked in its newest sample not after the start of the window, and all of a
// process that was born within the window. What is merely new to the source, such
// as an instance that it did not know before, was not born, and counts from its
// first sample on.
type Rule string

const (
	// Exact counts what was added between two samples of an instance, series by
	// series.
	Exact Rule = "Exact"
	// Extrapolated is PromQL's increase(), which extends what was added between
	// the samples within the window to its bounds. What was born are whole label
	// sets of an instance, as Signal.Labels has them, and they have at least their
	// last value. An instance that restarted counts as with Exact, where its processes
	// say when they started; otherwise a reset is a value that falls.
	Extrapolated Rule = "Extrapolated"
	// BetweenSamples is MetricsQL's increase(): what was added from the newest sample
	// not after the start of the window to the newest one in it, or from the first one
	// in it where there is none; nothing is extended. Of births and resets it knows
	// what Extrapolated does. Do not rely on counts being whole, as Exact ones are.
	BetweenSamples Rule = "BetweenSamples"
)
