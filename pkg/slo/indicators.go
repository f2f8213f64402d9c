// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Assessment is what one objective's report was made from: every key of it. It is
// immutable.
type Assessment struct {
	objective Objective
	coverage  coverage
	rule      sources.Rule
	// problem is the reason why there are no figures; "" when there are.
	problem string
	// refused is why nothing good may be said; nil when it may.
	refused *sources.Warning
	tallies []*tally // sorted by key
	// evidenceOfKeys is the same for all of them; nil when nothing was read.
	evidenceOfKeys *v1alpha1.IndicatorEvidence
}

// Unassessed are the assessments for when there is no reading at all, for the
// reason given.
func Unassessed(objectives []Objective, reason string) []Assessment {
	assessments := make([]Assessment, 0, len(objectives))
	for _, o := range objectives {
		assessments = append(assessments, Assessment{objective: o, problem: reason})
	}
	return assessments
}

// verdict on a key by the rules of judge: with instances missing a violation is
// taken as it was seen, and nothing else is known. What is unknown has a reason.
func (a Assessment) verdict(t *tally) (v1alpha1.Verdict, string) {
	verdict, reason := a.judged(t)
	j := judgement{verdict: verdict, reason: reason}.refuse(a.refused)
	return j.verdict, j.reason
}

// judged is the verdict, whatever speaks against the figures.
func (a Assessment) judged(t *tally) (v1alpha1.Verdict, string) {
	c := a.coverage
	switch {
	case a.problem != "":
		return v1alpha1.VerdictUnknown, a.problem
	case len(c.complete) == 0:
		return v1alpha1.VerdictUnknown, c.reason()
	case t.became == violated:
		return v1alpha1.VerdictViolated, ""
	case t.became == kept && a.objective.Informational:
		return v1alpha1.VerdictInformational, ""
	case !c.isFull() && !a.objective.EvenShares:
		return v1alpha1.VerdictUnknown, c.reason()
	case t.unreadable, t.became == undecided:
		return v1alpha1.VerdictUnknown, t.undecidedReason(a.objective)
	case t.became == kept:
		return v1alpha1.VerdictMet, ""
	case t.became == idle && c.isFull():
		return v1alpha1.VerdictNoTraffic, ""
	}
	return v1alpha1.VerdictUnknown, c.reason()
}

// Days of one objective, as the Ledger has them.
type Days struct {
	// Whole day of the objective: that of its only key, where it is not split.
	Whole Day
	// Keys that had a good or bad minute, sorted by key.
	Keys []KeyDay
}

// Indicators makes one indicator of every key, sorted by name: of those in the
// metrics, excluded ones among them, and of those with minutes in the day. An
// objective that is not split has one, whatever is known of it.
//
// They lack the resourceVersion, which only the caller knows.
func Indicators(assessments []Assessment, days func(objective string) Days) []v1alpha1.ServiceLevelIndicator {
	var indicators []v1alpha1.ServiceLevelIndicator
	for _, a := range assessments {
		indicators = a.appendTo(indicators, days(a.objective.Name))
	}
	slices.SortFunc(indicators, func(a, b v1alpha1.ServiceLevelIndicator) int { return cmp.Compare(a.Name, b.Name) })
	return indicators
}

func (a Assessment) appendTo(indicators []v1alpha1.ServiceLevelIndicator, days Days) []v1alpha1.ServiceLevelIndicator {
	if len(a.objective.Key) == 0 {
		t := &tally{}
		if len(a.tallies) > 0 {
			t = a.tallies[0]
		}
		return append(indicators, a.indicator(t, &days.Whole))
	}
	rest := days.Keys
	for _, t := range a.tallies {
		var day *Day
		for len(rest) > 0 && rest[0].Key.Compare(t.exported()) < 0 {
			indicators = append(indicators, a.silent(rest[0]))
			rest = rest[1:]
		}
		if len(rest) > 0 && rest[0].Key == t.exported() {
			day = &rest[0].Day
			rest = rest[1:]
		}
		indicators = append(indicators, a.indicator(t, day))
	}
	for _, k := range rest {
		indicators = append(indicators, a.silent(k))
	}
	return indicators
}

// silent is the indicator of a key that was seen in the day and has no series now:
// since its instances started, nobody asked for it.
func (a Assessment) silent(k KeyDay) v1alpha1.ServiceLevelIndicator {
	return a.indicator(&tally{key: key{k.Key.Group, k.Key.Resource, k.Key.Subresource, k.Key.Verb}}, &k.Day)
}

func (k key) exported() Key { return Key{k.group, k.resource, k.subresource, k.verb} }

// indicator of one key; day is nil when no minute of it is known.
func (a Assessment) indicator(t *tally, day *Day) v1alpha1.ServiceLevelIndicator {
	o := a.objective
	indicator := v1alpha1.ServiceLevelIndicator{
		ObjectMeta: metav1.ObjectMeta{Name: o.indicatorName(t.key), Labels: o.indicatorLabels(t.key)},
		Spec: v1alpha1.ServiceLevelIndicatorSpec{
			Report: o.Name,
			Group:  t.group, Resource: t.resource, Subresource: t.subresource, Verb: t.verb, Scope: o.Scope,
			ThresholdMilliseconds: o.Threshold.Milliseconds(),
			Percentile:            o.Percentile,
		},
	}
	status := &indicator.Status
	status.ObservationTime = a.coverage.observationTime()
	status.WindowSeconds = a.coverage.windowSeconds()
	status.Evidence = a.evidenceOfKeys
	verdict, reason := a.verdict(t)
	status.Outcome, status.Reason = v1alpha1.IndicatorOutcome(verdict), reason
	if t.excluded != "" {
		status.Outcome, status.Reason = v1alpha1.OutcomeExcluded, string(t.excluded)
	} else if day != nil {
		status.Day = day.indicatorDay()
	}
	if a.problem == "" && !t.unreadable {
		a.setFigures(status, t)
	}
	return indicator
}

func (a Assessment) setFigures(status *v1alpha1.ServiceLevelIndicatorStatus, t *tally) {
	requests := whole(t.count, t.count)
	if requests == 0 {
		if len(a.coverage.complete) == 0 {
			return // of another window, and so not known to be none
		}
		status.Requests = &requests
		if a.objective.hasBad() {
			status.SlowRequests = new(int64)
		}
		return
	}
	f := figuresOf(t, t.became, a.rule)
	status.Requests = &f.Requests
	status.Quantiles = f.Quantiles
	if t.overhead != nil {
		status.Total = t.overhead.status(t.count, a.rule)
	}
	if t.exact() && a.objective.hasBad() {
		status.SlowRequests = &f.SlowRequests
		status.GoodRatio, status.Interpolated = f.GoodRatio, f.Interpolated
	}
}

// indicatorDay is nil for a day without a judged minute.
func (d Day) indicatorDay() *v1alpha1.IndicatorDay {
	judged := d.Good + d.Bad
	if judged == 0 {
		return nil
	}
	day := &v1alpha1.IndicatorDay{
		GoodMinutes: d.Good, BadMinutes: d.Bad, IdleMinutes: d.Idle, UnknownMinutes: d.Unknown,
		GoodRatio: ratio(int64(d.Bad), int64(judged)),
	}
	if d.Bad > 0 {
		day.LastBadTime = timeOf(d.LastBad)
	}
	return day
}
