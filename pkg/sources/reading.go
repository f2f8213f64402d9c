// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"slices"
	"time"
)

// Reading is what the signals did in one window. It is immutable.
//
// Whose counts are in it:
//
//   - An observed instance contributes all that it counted between First and Last,
//     that of older processes under its name included. It is added up with the
//     others whether or not it covers the window: the caller decides.
//   - An instance that was not observed contributes nothing, not even what it
//     counted while it was still read.
//   - A source that knows that an instance is gone, and not merely silent, leaves
//     it out of Instances and its gauges out of the results; what it counted in the
//     window stays in, with a warning. A series of a PerInstance signal may name
//     such an instance.
type Reading struct {
	// At is the end of the window asked for.
	At time.Time
	// Window is the length of the window asked for.
	Window time.Duration
	// Rule by which increases were taken.
	Rule Rule
	// Origin is where the figures are from.
	Origin Origin
	// Instances that were expected or seen, sorted by component and name.
	Instances []Instance
	// Sampled holds the components of which only some instances are read, by choice
	// and without regard to what they do: by how many there are that Instances were
	// chosen from. Figures of such a component are of that sample.
	Sampled map[Component]int
	// Results by Signal.Name. Every signal of the source has one.
	Results map[string]Result
	// Warnings of the source that concern no single signal.
	Warnings []Warning
}

// Instance is one process that exposes metrics.
type Instance struct {
	// Component of the instance.
	Component Component
	// Name is the address of the instance for kube-apiservers and the name of
	// the node for kubelets.
	Name string
	// URL of its metrics, without credentials; "" where the source asked somebody else.
	URL string
	// Observed says that the instance was read at the end of the window.
	Observed bool
	// Problem says why it was not observed, in plain English.
	Problem string
	// Cause is the Problem as a reason, where it is one that is told from others:
	// StaleSamples, SharedAddress or ConflictingSeries.
	Cause Reason
	// First and Last are the times between which the instance was read; zero when
	// it was not observed. Both are times of samples, except that First is Started
	// for a process that was born within the window while no older one was sampled
	// in or right before it: all counts are since then. What an unseen older
	// process may have counted is not known, and so not missed. Where an older one
	// was sampled, First is of its samples; what it counted between its last sample
	// and its end is lost.
	First, Last time.Time
	// Lost is the longest time in the window between the last sample of a process
	// and the start of the next one: what was counted then is in no figure. Zero
	// when there was no restart, or none is known of.
	Lost time.Duration
	// Started is when the process started; zero when unknown. A start within the
	// window is a reset of all its counters.
	Started time.Time
}

// Covered is the time the figures of the instance stand for.
func (i Instance) Covered() time.Duration {
	return i.Last.Sub(i.First)
}

// Complete says that the figures stand for the window that ends at at, give or
// take slack at both ends: the instance was read from its start, or from the birth
// of the process, and lost no more than slack in a restart. Those whose
// processes are born within the window cover what they lived of it: figures over
// several instances then stand for the window all the same, since there was nothing
// to count on those before.
func (i Instance) Complete(at time.Time, window, slack time.Duration) bool {
	if !i.Observed || at.Sub(i.Last).Abs() > slack || i.Lost > slack {
		return false
	}
	return i.First.Sub(at.Add(-window)).Abs() <= slack || (!i.Started.IsZero() && i.First.Equal(i.Started))
}

const (
	// slackFraction of the window may be without samples, at either end. Metrics
	// are scraped once a minute or more often (the default of Prometheus is one
	// minute): that is a fifth of the default window, and scrapes jitter.
	slackFraction = 0.25
	// minimumSlack for short windows: the embedded source scrapes every 15 s.
	minimumSlack = 20 * time.Second
)

// Slack is by how much the samples of an instance may miss either end of a window
// and still stand for it, for Instance.Complete: one rule for all evaluations, so
// that two answers from one reading do not differ in what they call complete.
func Slack(window time.Duration) time.Duration {
	return max(minimumSlack, time.Duration(slackFraction*float64(window)))
}

// Result is what one signal did in the window.
type Result struct {
	// Metrics that the series were taken from: more than one while instances of
	// two versions run. Empty when no instance has any.
	Metrics []string
	// Series sorted by instance and label values: one of each, or two where some
	// instances have classic and others native histograms.
	Series []Series
	// Missing names the observed instances that have none of Signal.Metrics, sorted:
	// their share is in no series. Only for signals that are Everywhere.
	Missing []string
	// Warnings about this signal.
	Warnings []Warning
	// Queries as they were sent, by role; none where the source sends none. All that
	// adds up to the figures is among them. Which instances count was asked before.
	Queries []Query
	// Expressions repeat the figures; nil where nothing is known that would, as of classic
	// and native histograms together.
	Expressions Expressions
}

// Whole says that what the result has no series of was not there: no warning about the
// signal refuses its figures, as that it was not read at all.
func (r Result) Whole() bool {
	return !slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Reason.Effect() == Refused })
}

// Series is what one label set did in the window.
type Series struct {
	// Values of Signal.Labels, in their order; "" for an absent label.
	Values []string
	// Instance that exposed the series; "" unless the signal is PerInstance.
	Instance string
	// Histogram is the increase of a Histogram signal, otherwise nil.
	Histogram *Buckets
	// Increase of a Counter signal.
	Increase float64
	// Last and Max are the newest and the highest value of a Gauge signal. Where
	// series of one instance were summed, Max is their highest sum in any one
	// sample; over several instances, whose samples are not of one time, it is the
	// sum of that, which may never have been reached.
	Last, Max float64
	// Samples of a Gauge signal that has Signal.Samples, oldest first, otherwise nil:
	// one for each answer of the instance within (at-window, at] that had the series,
	// at uneven times and with gaps where scrapes failed. Where series were summed each
	// is the sum of those in that answer. Only the newest process of the instance
	// counts, since a restart begins anew, and only what is a number: NaN and
	// infinities are left out. There may be none beside a value in Last: it is NaN or
	// infinite then, or of an answer from before the window. A series that the newest
	// answer lacks is no Series at all, and has no samples.
	Samples []Sample
}

// Sample is the value of a gauge in one answer of an instance.
type Sample struct {
	// Time of the answer, by the clock of the source.
	Time time.Time
	// Value in the unit of the metric, finite.
	Value float64
}
