// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Effect is what a Reason means for whoever uses the figures.
type Effect int

const (
	// Noted says that the figures are right all the same.
	Noted Effect = iota
	// Doubtful says that the figures are right for what was read, which may not be all.
	Doubtful
	// Refused says that the figures may be wrong. Nothing good may be said by them.
	Refused
)

// effects of all reasons, the gravest first: that is the order in which conditions
// show them.
func effects() []struct {
	Reason
	Effect
} {
	return []struct {
		Reason
		Effect
	}{
		{OwnServer, Refused},
		{ForeignServer, Refused},
		{SeveralClusters, Refused},
		{FutureSamples, Refused},
		{TwinInstances, Refused},
		{QueryFailed, Refused},
		{PartialResponse, Refused},
		{SeriesLimit, Refused},
		{SeriesInvalid, Refused},
		{RecordedRate, Refused},
		{RestartsUnclear, Refused},
		{TargetsUnknown, Doubtful},
		{ConflictingSeries, Doubtful},
		{SharedAddress, Doubtful},
		{StaleSamples, Doubtful},
		{CounterReset, Noted},
		{ScrapedTwice, Noted},
		{BucketsDiffer, Noted},
		{VersionsMixed, Noted},
		{TargetGone, Noted},
		{QueryRemark, Noted},
		{NativeHistogram, Noted},
	}
}

// Effect of a reason. One that is not known refuses the figures.
func (r Reason) Effect() Effect {
	if i := r.rank(); i < len(effects()) {
		return effects()[i].Effect
	}
	return Refused
}

func (r Reason) rank() int {
	all := effects()
	for i, e := range all {
		if e.Reason == r {
			return i
		}
	}
	return len(all)
}

// Reasons are all there are, the gravest first.
func Reasons() []Reason {
	var all []Reason
	for _, e := range effects() {
		all = append(all, e.Reason)
	}
	return all
}

// Findings are the warnings of a reading that concern a component, those of its
// signals by these names among them, and what the instances themselves tell: the
// gravest first. A message is there once. Of kube-apiservers those of IdentitySignals
// are among them: without these nobody knows whether there are others.
func Findings(reading *Reading, component Component, signals ...string) []Warning {
	var all []Warning
	concerns := func(w Warning) bool { return w.Component == "" || w.Component == component }
	for _, w := range reading.Warnings {
		if concerns(w) {
			all = append(all, w)
		}
	}
	if component == KubeAPIServer {
		signals = append([]string{SignalBuildInfo, SignalOwnFamily, SignalRequestGroups}, signals...)
	}
	for _, name := range signals {
		all = append(all, reading.Results[name].Warnings...)
	}
	if component == KubeAPIServer {
		all = append(all, Strangers(reading)...)
	}
	all = append(all, ofInstances(reading, component)...)
	slices.SortStableFunc(all, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Reason.rank(), b.Reason.rank()), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(all, func(a, b Warning) bool { return a.Reason == b.Reason && a.Message == b.Message })
}

// ofInstances are findings that the instances of a component show by their times.
func ofInstances(reading *Reading, component Component) []Warning {
	start, slack := reading.At.Add(-reading.Window), Slack(reading.Window)
	var future, stale, reset []string
	for _, i := range reading.Instances {
		switch {
		case i.Component != component:
		case i.Cause == StaleSamples:
			stale = append(stale, i.Name)
		case !i.Observed:
		case i.Last.Sub(reading.At) > slack, i.Started.Sub(reading.At) > slack:
			future = append(future, i.Name)
		case i.Started.After(start) && i.First.Before(i.Started):
			reset = append(reset, i.Name)
		}
	}
	var found []Warning
	add := func(reason Reason, names []string, text string) {
		if len(names) > 0 {
			found = append(found, Warning{Reason: reason, Component: component, Instances: names, Message: fmt.Sprintf("%s %s %s", component, someOf(names), text)})
		}
	}
	add(FutureSamples, future, "has times that are yet to come: correct the clocks")
	add(StaleSamples, stale, "has no sample that is new enough: see why its scrapes fail")
	add(CounterReset, reset, "started anew in the window: what was counted before and after is added up")
	return found
}

// someOf the names, and how many more there are.
func someOf(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// Summary of findings in one line, with the gravest reason: "" when there are none.
// They are harmless when the figures are right for all of them.
func Summary(findings []Warning) (reason Reason, message string, harmless bool) {
	if len(findings) == 0 {
		return "", "", true
	}
	const most = 5 // one line stays readable; the rest is counted
	var texts []string
	for _, w := range findings[:min(most, len(findings))] {
		texts = append(texts, w.Message)
	}
	if more := len(findings) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more findings", more))
	}
	return findings[0].Reason, strings.Join(texts, "; "), findings[0].Reason.Effect() == Noted
}
