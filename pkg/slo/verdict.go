// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"strconv"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// outcome of one key.
type outcome int

const (
	// idle: no request in the window.
	idle outcome = iota
	// kept: the percentile is within the threshold for sure.
	kept
	// violated: the percentile is over the threshold for sure.
	violated
	// keptSoFar: the percentile is within the threshold, but instances that were
	// not observed could change that.
	keptSoFar
	// undecided: the bucket of the threshold is missing, and those around it do
	// not prove anything; or it depends on which of the events are to count.
	undecided
)

// outcome of the key by bucket fractions: at least that share of its events was
// within the threshold, or at most that share was.
func (t *tally) outcome(o Objective, s shares, rule sources.Rule) outcome {
	switch {
	case t.unreadable:
		return undecided
	case !(t.count > 0):
		return idle
	case o.Informational:
		return kept
	case t.dryRuns >= t.count:
		return undecided // none of them may count
	// Of those that are not dry runs, at most all but dryRuns are good, and at least as
	// many as if all dry runs were.
	case !holdsShare(min(t.most, t.count-t.dryRuns), t.count-t.dryRuns, o.goodMillionths(), everything, rule):
		return violated
	case !holdsShare(max(0, t.least-t.dryRuns), t.count-t.dryRuns, o.goodMillionths(), everything, rule):
		return undecided
	case t.leftOut != "" && whole(t.count-t.least, t.count) > 0:
		return undecided
	case o.EvenShares && !holdsShare(max(0, t.least-t.dryRuns), t.count-t.dryRuns, o.goodMillionths(), s, rule):
		return keptSoFar
	}
	return kept
}

// judgement is what becomes of an objective, and why.
type judgement struct {
	verdict         v1alpha1.Verdict
	reason, message string
}

// judge the objective by its keys.
//
// With instances missing a violation is reported as it was seen, although those
// could hold enough good requests to outweigh it; that the objective is met is
// only said when it is known. Without any instance that covers the window, what
// was seen is of another window, and so no verdict.
func judge(o Objective, c coverage, k *keys) judgement {
	unknown := func(reason, message string) judgement {
		return judgement{v1alpha1.VerdictUnknown, reason, message}
	}
	switch {
	case len(c.complete) == 0:
		return unknown(c.reason(), c.message())
	case o.Informational && (len(k.figures) > 0 || c.isFull()):
		return k.informational(o)
	case len(k.by[violated]) > 0:
		return judgement{v1alpha1.VerdictViolated, ReasonKeysViolated, k.violatedMessage(o)}
	case !c.isFull() && !o.EvenShares:
		return unknown(c.reason(), c.message())
	case len(k.by[keptSoFar]) > 0:
		return unknown(c.reason(), fmt.Sprintf("%s; an equal share of %s there, all %s, would take %s",
			c.message(), o.Events, o.badWord(), o.broken()))
	case len(k.by[undecided]) > 0:
		return k.undecidedJudgement(o)
	case k.doubtful != nil:
		return unknown(ReasonResourceUnclassified, k.doubtfulMessage(o))
	case len(k.by[kept]) > 0:
		return judgement{v1alpha1.VerdictMet, ReasonAllKeysHold, k.keptMessage(o, c)}
	case !c.isFull():
		return unknown(c.reason(), c.message())
	}
	return judgement{v1alpha1.VerdictNoTraffic, ReasonNoTraffic, fmt.Sprintf("no %s in the window", o.Events)}
}

// violatedMessage names the worst key that is violated.
func (k *keys) violatedMessage(o Objective) string {
	worst := k.figures[0]
	t := worst.tally
	slow := fmt.Sprintf("%d of %d %s %s", worst.SlowRequests, worst.Requests, o.Events, o.badWord())
	if !t.exact() {
		slow = fmt.Sprintf("at least %d of %d %s %s", whole(t.count-t.most, t.count), worst.Requests, o.Events, o.badWord())
	}
	if len(o.Key) == 0 {
		return fmt.Sprintf("%s: %s", o.broken(), slow) + k.inexactNote(o)
	}
	message := fmt.Sprintf("%d of %s %s: %s, %s", len(k.by[violated]), keyCount(k.counts.Total), o.beyond(), t.key, slow)
	if more := len(k.by[violated]) - 1; more > 0 {
		message += fmt.Sprintf("; and %d more", more)
	}
	return message + k.inexactNote(o)
}

// inexactNote says why the number of slow requests is absent from the status.
func (k *keys) inexactNote(o Objective) string {
	switch {
	case k.exact:
		return ""
	case !k.readable && o.Type == v1alpha1.IndicatorRatio:
		return fmt.Sprintf("; with counts that can not be read the number of %s is not known", o.Events)
	case !k.readable:
		return fmt.Sprintf("; with histograms that can not be read the number of %s is not known", o.Events)
	case o.Type == v1alpha1.IndicatorRatio:
		return "; " + o.labelsMissing()
	}
	return fmt.Sprintf("; without the bucket le=%q in every key the number of slow %s is not known", le(o), o.Events)
}

// le is the threshold as the label of its bucket.
func le(o Objective) string {
	return strconv.FormatFloat(o.thresholdSeconds(), 'g', -1, 64)
}

func (k *keys) keptMessage(o Objective, c coverage) string {
	message := o.held()
	if len(o.Key) > 0 {
		message += fmt.Sprintf(" for %s with %s", keyCount(int64(len(k.by[kept]))), o.Events)
	}
	if !c.isFull() {
		message += fmt.Sprintf(", even if an equal share of %s were %s on each %s that was not read", o.Events, o.badWord(), o.Component)
	}
	return message + k.inexactNote(o)
}

func (k *keys) doubtfulMessage(o Objective) string {
	return fmt.Sprintf("%s is not shown to be %s, and whether it is built in is not known: discovery does not list it",
		k.doubtful.key, o.inside())
}

func (k *keys) undecidedJudgement(o Objective) judgement {
	first := k.by[undecided][0]
	which := ""
	reason := first.undecidedReason(o)
	if len(o.Key) > 0 {
		which = fmt.Sprintf(" for %d of %s, such as %s", len(k.by[undecided]), keyCount(k.counts.Total), first.key)
	}
	for _, t := range k.by[undecided] {
		if t.unreadable {
			return judgement{v1alpha1.VerdictUnknown, ReasonHistogramInvalid, o.unreadable() + which}
		}
	}
	switch reason {
	case ReasonLabelMissing:
		return judgement{v1alpha1.VerdictUnknown, reason, o.labelsMissing() + which}
	case first.leftOut:
		return judgement{v1alpha1.VerdictUnknown, reason,
			fmt.Sprintf("it depends on which of the %s the indicator leaves out, see IndicatorFaithful: %d of %d %s%s",
				o.Events, whole(first.count-first.least, first.count), whole(first.count, first.count), o.badWord(), which)}
	case ReasonDryRunsIncluded:
		return judgement{v1alpha1.VerdictUnknown, reason,
			fmt.Sprintf("it depends on up to %d dry runs, which the metric does not tell from others%s", whole(first.dryRuns, first.count), which)}
	case ReasonNativeHistogramInterpolated:
		return judgement{v1alpha1.VerdictUnknown, reason,
			fmt.Sprintf("the p%d is in the bucket of a native histogram that holds the threshold %ss%s", o.Percentile, le(o), which)}
	}
	return judgement{v1alpha1.VerdictUnknown, ReasonThresholdBucketMissing,
		fmt.Sprintf("the bucket le=%q of the threshold is missing%s; keep it in what is scraped", le(o), which)}
}

// undecidedReason of a key that is undecided.
func (t *tally) undecidedReason(o Objective) string {
	without := *t
	without.dryRuns, without.leftOut = 0, ""
	switch {
	case t.unreadable:
		return ReasonHistogramInvalid
	case o.Type == v1alpha1.IndicatorRatio:
		return ReasonLabelMissing
	case t.dryRuns > 0 && without.outcome(o, everything, sources.Extrapolated) != undecided:
		return ReasonDryRunsIncluded
	case t.leftOut != "" && without.outcome(o, everything, sources.Extrapolated) != undecided:
		return t.leftOut
	case t.interpolated && t.exact():
		return ReasonNativeHistogramInterpolated
	}
	return ReasonThresholdBucketMissing
}

func keyCount(n int64) string {
	if n == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", n)
}

// lowTraffic says whether the verdict rests on few requests: whether every
// violated key, or where none is violated all keys together, had fewer than the
// minimum.
func lowTraffic(o Objective, k *keys) (low bool, message string) {
	if len(k.by[violated]) == 0 {
		low = k.requests < o.MinimumRequests
		return low, fmt.Sprintf("%d %s in all keys; the minimum is %d", k.requests, o.Events, o.MinimumRequests)
	}
	var most int64
	for _, t := range k.by[violated] {
		most = max(most, whole(t.count, t.count))
	}
	low = most < o.MinimumRequests
	return low, fmt.Sprintf("at most %d %s in a violated key; the minimum is %d", most, o.Events, o.MinimumRequests)
}
