// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// addFaithful is what the condition IndicatorFaithful counts.
func (c *circumstances) addFaithful(part *evidence.Part, f figures) {
	if !f.isOfRequests() || f.Informational || len(f.tallies) == 0 {
		return
	}
	if _, known := oldest(c.apiservers); known && slices.ContainsFunc(f.tallies, func(t *tally) bool { return t.counts() && t.dryRuns > 0 }) {
		part.Figure("conditions.IndicatorFaithful.dryRuns", c.dryRunsOf(f))
		c.addSignal(part, SignalDryRuns)
	}
	if again := c.reading.Results[SignalWatchLists].Expressions; again != nil && c.streamed(f.Objective) > 0 {
		lists := sources.Selection{{Label: labelScope, Values: []string{f.Scope}}, sources.Bound(math.Inf(+1))}
		part.Figure("conditions.IndicatorFaithful.watchLists", evidence.Whole(again.Increase(nil, lists)+" > 0"))
		c.addSignal(part, SignalWatchLists)
	}
}

func (c *circumstances) addSignal(part *evidence.Part, name string) {
	signals := circumstanceSignals()
	signal := signals[slices.IndexFunc(signals, func(s sources.Signal) bool { return s.Name == name })]
	result := c.reading.Results[name]
	part.Signal(signal, result, len(result.Series))
}

// dryRunsOf the keys that count, in sum; "" where more of a key were counted than
// requests: no more than these are told of.
func (c *circumstances) dryRunsOf(f figures) string {
	again := c.reading.Results[SignalDryRuns].Expressions
	byKey := c.dryRunsByKey(f.Objective)
	for _, t := range f.tallies {
		if t.counts() && byKey[t.key] > t.count {
			return ""
		}
	}
	selections := f.selections(func(t *tally) choice {
		switch {
		case byKey[t.key] == 0:
			return either
		case t.counts():
			return in
		}
		return out
	})
	for _, t := range f.tallies {
		delete(byKey, t.key)
	}
	if again == nil || len(byKey) > 0 { // of keys of which there are no requests
		return ""
	}
	return evidence.Whole(again.Increase(nil, selections...) + " > 0")
}

// promiseEvidence is what the condition PromisesKept counts. It is the same for all
// reports.
func (c *circumstances) promiseEvidence(resources *Resources) evidence.Part {
	if c.promised != nil {
		return *c.promised
	}
	part := &evidence.Part{}
	if again := c.reading.Results[SignalObjects].Expressions; again != nil && len(c.objects) > 0 {
		by := []string{labelGroup, labelResource}
		part.Figure("conditions.PromisesKept.objects",
			"max by ("+strings.Join(by, ",")+") ("+again.Newest(append(by, "instance"), c.promisedObjects(resources)...)+" >= 0)")
	}
	c.addChurn(part)
	for _, signal := range []string{SignalObjects, SignalPodChanges, SignalDispatched} {
		c.addSignal(part, signal)
	}
	c.promised = part
	return *part
}

// promisedObjects are those of which PromisesKept tells the number. Without a group, the
// label resource has it, too: see objectsOf.
func (c *circumstances) promisedObjects(resources *Resources) []sources.Selection {
	core := sources.Matcher{Label: labelResource}
	for _, p := range promises() {
		core.Values = append(core.Values, p.resource)
	}
	var grouped []sources.Selection
	for _, p := range c.crowded(resources) {
		core.Values = append(core.Values, p.resource)
		if resource, group, has := strings.Cut(p.resource, "."); has {
			grouped = append(grouped, sources.Selection{
				{Label: labelGroup, Values: []string{group}}, {Label: labelResource, Values: []string{resource}},
			})
		}
	}
	return append([]sources.Selection{{{Label: labelGroup, Values: []string{""}}, core}}, grouped...)
}

// addChurn of a second: the changes of pods, and with them all requests of users.
func (c *circumstances) addChurn(part *evidence.Part) {
	seconds := " / " + strconv.FormatFloat(max(c.reading.Window, time.Second).Seconds(), 'f', -1, 64)
	least, most, _ := c.churn()
	changes := "vector(0)" // where there are requests, and none of these
	if again := c.reading.Results[SignalPodChanges].Expressions; again != nil && !math.IsNaN(least) {
		changes = again.Increase(nil)
		part.Figure("conditions.PromisesKept.churnAtLeast", changes+seconds)
		changes = "(" + changes + " or vector(0))"
	}
	if again := c.reading.Results[SignalDispatched].Expressions; again != nil && !math.IsNaN(most) {
		users := again.Increase(nil, sources.Selection{{Label: labelFlowSchema, Values: systemSchemas, Not: true}})
		part.Figure("conditions.PromisesKept.churnAtMost", "("+changes+" + ("+users+" or vector(0)))"+seconds)
	}
}
