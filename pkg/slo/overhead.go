// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// isOfRequests says that the indicator is the latency of requests to kube-apiservers,
// of which the total is known, too.
func (o Objective) isOfRequests() bool {
	return o.Signal == SignalRequestLatency && !o.ownSignal && o.Type != v1alpha1.IndicatorRatio
}

// isOfChanges says that webhooks see the requests: admission is for changes only
// (and for CONNECT, which no objective selects).
func (o Objective) isOfChanges() bool {
	for _, verb := range []string{"APPLY", "DELETE", "PATCH", "POST", "PUT"} {
		if o.Verbs == nil || slices.Contains(o.Verbs, verb) {
			return true
		}
	}
	return false
}

// weigh what the indicator leaves out: the time that callers lose to webhooks and
// queues, by key and over all, and the requests that were turned away.
func (a Assessment) weigh(status *v1alpha1.SLOReportStatus, reading *sources.Reading, options Options) {
	o := a.objective
	if _, read := reading.Results[SignalTotalLatency]; !read || !o.isOfRequests() {
		return // a history is of one signal
	}
	status.RejectedRequests = options.Rejected
	var over overKeys
	if a.problem == "" {
		over = a.weighKeys(reading)
		status.Overhead = over.status(o)
		if o.isOfChanges() {
			status.Overhead.Webhooks = webhooks(reading)
		}
		// With an indicator that includes them they would be counted twice.
		if !slices.Contains(reading.Results[o.Signal].Metrics, metricRequestSLO) {
			status.Overhead.Queues = first(options.Queues)
		}
	}
	status.Finding = finding(o, status, over)
}

// mostCauses of each kind are shown (v1alpha1: "ten at most").
const mostCauses = 10

func first[T any](causes []T) []T { return causes[:min(mostCauses, len(causes))] }

// overKeys sums what the keys of an objective lost that count and had requests.
type overKeys struct {
	keys              int
	seconds, requests float64 // of those that are known
	// unknown and clamped keys have a problem.
	unknown, clamped int
	problem          string
	problemKey       key
	// undecided keys may be slow: the total has no bucket at the threshold, and those
	// around it prove nothing.
	undecided    int
	undecidedKey key
	// slow keys are not violated, and would be by their total latency.
	slow                      []*tally
	slowSeconds, slowRequests float64 // of those that are known
}

// weighKeys gives every key with requests its overhead.
func (a Assessment) weighKeys(reading *sources.Reading) overKeys {
	var over overKeys
	o := a.objective
	total := reading.Results[SignalTotalLatency]
	byKey := totals(o, total)
	for _, t := range a.tallies {
		if !(t.count > 0) {
			t.stray = byKey[t.key].isAsked()
			continue
		}
		l := a.overheadOf(t, byKey, reading)
		t.overhead = &l
		if t.excluded == "" {
			over.add(o, t, a.rule)
		}
	}
	return over
}

func (a Assessment) overheadOf(t *tally, byKey map[key]*total, reading *sources.Reading) overhead {
	switch {
	case slices.Contains(reading.Results[a.objective.Signal].Metrics, metricRequest):
		return unknownOverhead(nil, "there is no other metric than the total latency: it stands in for the indicator")
	case len(byKey) == 0:
		return unknownOverhead(nil, "no kube-apiserver has %s", metricRequest)
	}
	l, total := t.overheadOf(byKey[t.key]), byKey[t.key]
	if l.histogram != nil {
		l.dryRuns = l.histogram != total.real
		l.differ = total.real == nil || total.real.Count() != total.all.Count()
	}
	return l
}

func (over *overKeys) add(o Objective, t *tally, rule sources.Rule) {
	l := t.overhead
	over.keys++
	if l.problem != "" {
		// The first of the graver ones is told.
		if over.problem == "" || !l.isKnown() && over.unknown == 0 {
			over.problem, over.problemKey = l.problem, t.key
		}
		if l.isKnown() {
			over.clamped++
		} else {
			over.unknown++
		}
	}
	if l.isKnown() {
		over.seconds += l.seconds
		over.requests += t.count
	}
	if o.Informational || t.became == violated || l.histogram == nil {
		return
	}
	// For sure, as a violation is: requests that may have been slow do not count.
	least, most := within(l.histogram, o.thresholdSeconds())
	if holds(most, l.histogram.Count(), o.Percentile, everything, rule) {
		if !holds(least, l.histogram.Count(), o.Percentile, everything, rule) {
			if over.undecided == 0 {
				over.undecidedKey = t.key
			}
			over.undecided++
		}
		return
	}
	over.slow = append(over.slow, t)
	if l.isKnown() {
		over.slowSeconds += l.seconds
		over.slowRequests += t.count
	}
}

func (over overKeys) status(o Objective) *v1alpha1.Overhead {
	status := &v1alpha1.Overhead{}
	status.LostMilliseconds, status.LostPerRequestMilliseconds = lost(over.seconds, over.requests)
	if !o.Informational && over.unknown == 0 && over.undecided == 0 {
		n := int64(len(over.slow))
		status.KeysOverThreshold = &n
	}
	var problems []string
	switch {
	case over.unknown > 0:
		problems = append(problems, fmt.Sprintf("not known of %d of %s, such as %s: %s", over.unknown, keyCount(int64(over.keys)), over.problemKey, over.problem))
	case over.clamped > 0:
		problems = append(problems, fmt.Sprintf("of %d of %s, such as %s, %s", over.clamped, keyCount(int64(over.keys)), over.problemKey, over.problem))
	}
	if over.undecided > 0 {
		problems = append(problems, fmt.Sprintf("whether the total p%d is over %s is not known of %d of %s, such as %s: %s has no bucket at the threshold",
			o.Percentile, span(o.Threshold), over.undecided, keyCount(int64(over.keys)), over.undecidedKey, metricRequest))
	}
	status.Problem = strings.Join(problems, "; ")
	return status
}
