// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// addTotals is what the total latency says beside the indicator, over all keys that
// count and of each key.
func (f figures) addTotals(part *evidence.Part, status *v1alpha1.SLOReportStatus, reading *sources.Reading) {
	result := reading.Results[SignalTotalLatency]
	if status.Overhead == nil {
		return
	}
	if total := result.Expressions; total != nil {
		f.addLost(part, status.Overhead, total)
		f.addOverThreshold(part, status.Overhead, total)
		f.addTotalOfKeys(part, total)
	}
	part.Signal(totalLatency(), result, len(result.Series))
}

func (t *tally) isLossKnown() bool { return t.overhead != nil && t.overhead.isKnown() }

func (f figures) addLost(part *evidence.Part, status *v1alpha1.Overhead, total sources.Expressions) {
	if status.LostMilliseconds == nil {
		return
	}
	known := among(func(t *tally) bool { return t.counts() && t.isLossKnown() })
	seconds := "sum(" + f.lost(total, known) + ")"
	part.Figure("overhead.lostMilliseconds", "round(1000 * "+seconds+")")
	part.Figure("overhead.lostPerRequestMilliseconds", "round(1000 * "+seconds+" / sum("+f.total(f.selections(known))+"))")
}

// lost seconds of each key: see tally.overheadOf.
func (f figures) lost(total sources.Expressions, choose func(*tally) choice) string {
	return "clamp_min(" + total.Sum(f.Key, f.ofTotal(choose)...) + " - " + f.Sum(f.Key, f.selection()) + ", 0)"
}

func (f figures) addOverThreshold(part *evidence.Part, status *v1alpha1.Overhead, total sources.Expressions) {
	held := func(t *tally) bool { return t.counts() && t.overhead != nil && t.became != violated }
	inexact := func(t *tally) bool {
		if !held(t) || t.overhead.histogram == nil {
			return false
		}
		_, known := t.overhead.histogram.AtMost(f.thresholdSeconds())
		return !known
	}
	if status.KeysOverThreshold == nil || slices.ContainsFunc(f.tallies, inexact) {
		return
	}
	selections := f.ofTotal(among(held))
	if len(selections) == 0 {
		return // all are violated
	}
	upTo := func(bound float64) string {
		return total.Increase(f.Key, narrowed(selections, []sources.Matcher{sources.Bound(bound)})...)
	}
	share := decimalOf(allowing(float64(f.Percentile)/100, f.rule))
	part.Figure("overhead.keysOverThreshold", "count("+upTo(f.thresholdSeconds())+" < "+share+" * "+upTo(math.Inf(+1))+")")
}

func (f figures) addTotalOfKeys(part *evidence.Part, total sources.Expressions) {
	if slices.ContainsFunc(f.tallies, (*tally).isLossKnown) {
		seconds := f.lost(total, anyOf((*tally).isLossKnown))
		part.Figure("indicators.total.lostMilliseconds", "round(1000 * "+seconds+")")
		part.Figure("indicators.total.lostPerRequestMilliseconds", "round(1000 * "+seconds+" / ("+f.total([]sources.Selection{f.selection()})+" > 0))")
	}
	histogram := func(t *tally) *sources.Buckets {
		if t.overhead == nil {
			return nil
		}
		return t.overhead.histogram
	}
	if like := alike(f.tallies, histogram); like != nil {
		selections := f.ofTotal(anyOf(func(t *tally) bool { return histogram(t) != nil }))
		part.Figure("indicators.total.p99Milliseconds", f.quantile(total, like, selections...))
	}
}

// anyOf the keys is in that has the figure, and nobody looks at others.
func anyOf(has func(*tally) bool) func(*tally) choice {
	return func(t *tally) choice {
		if has(t) {
			return in
		}
		return either
	}
}

// ofTotal selects the total latency of the keys that are in, of each with dry runs or
// without as it was taken: see total.nearest.
func (f figures) ofTotal(choose func(*tally) choice) []sources.Selection {
	differs := func(dryRuns bool) func(*tally) bool {
		return func(t *tally) bool { return choose(t) == in && t.overhead.differ && t.overhead.dryRuns == dryRuns }
	}
	with, without := differs(true), differs(false)
	withoutDryRuns := []sources.Matcher{{Label: labelDryRun, Values: []string{""}}}
	switch {
	case !slices.ContainsFunc(f.tallies, with):
		return narrowed(f.selections(choose), withoutDryRuns)
	case !slices.ContainsFunc(f.tallies, without):
		return f.selections(choose)
	}
	side := func(dryRuns bool) []sources.Selection {
		return f.selections(func(t *tally) choice {
			if choose(t) == in && with(t) != dryRuns {
				return out
			}
			return choose(t)
		})
	}
	return append(side(true), narrowed(side(false), withoutDryRuns)...)
}

// addBeside is what was read of the whole of the kube-apiservers.
func (f figures) addBeside(part *evidence.Part, status *v1alpha1.SLOReportStatus, reading *sources.Reading, options Options) {
	if status.Overhead != nil {
		if f.isOfChanges() {
			addWebhooks(part, len(status.Overhead.Webhooks) > 0, reading)
		}
		if len(status.Overhead.Queues) > 0 {
			part.Join(options.QueuesEvidence)
		}
	}
	if status.RejectedRequests != nil {
		part.Join(options.RejectedEvidence)
	}
}

// addWebhooks is what each of them cost that was called, if any was.
func addWebhooks(part *evidence.Part, called bool, reading *sources.Reading) {
	signals := slices.DeleteFunc(overheadSignals(), func(s sources.Signal) bool {
		return s.Name == SignalTotalLatency || s.Name != SignalWebhookTime && !called
	})
	if called {
		addWebhookFigures(part, reading)
	}
	for _, signal := range signals {
		result := reading.Results[signal.Name]
		part.Signal(signal, result, len(result.Series))
	}
}

func addWebhookFigures(part *evidence.Part, reading *sources.Reading) {
	by := []string{labelName, labelType}
	if again := reading.Results[SignalWebhookTime].Expressions; again != nil {
		calls, seconds := again.Increase(by, sources.Selection{sources.Bound(math.Inf(+1))})+" > 0", again.Sum(by)
		part.Figure("overhead.webhooks.calls", evidence.Whole(calls))
		part.Figure("overhead.webhooks.milliseconds", "round(1000 * "+seconds+")")
		part.Figure("overhead.webhooks.perCallMilliseconds", "round(1000 * "+seconds+" / ("+calls+"))")
	}
	if again := reading.Results[SignalWebhookRejections].Expressions; again != nil {
		answered := sources.Matcher{Label: labelErrorType, Values: []string{errorTypeNone}}
		failed := answered
		failed.Not = true
		part.Figure("overhead.webhooks.rejections", "round("+again.Increase(by, sources.Selection{answered})+")")
		part.Figure("overhead.webhooks.failures", "round("+again.Increase(by, sources.Selection{failed})+")")
	}
	if again := reading.Results[SignalWebhookFailOpen].Expressions; again != nil {
		part.Figure("overhead.webhooks.failedOpen", "round("+again.Increase(by)+")")
	}
}
