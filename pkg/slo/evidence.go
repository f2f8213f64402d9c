// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// evidence of a report. The queries and expressions are there where the source has
// them; those of figures only where the status has the figure.
func (a Assessment) evidence(status *v1alpha1.SLOReportStatus, around *circumstances, resources *Resources, options Options) *v1alpha1.Evidence {
	o, reading := a.objective, around.reading
	result := reading.Results[o.Signal]
	e := evidence.Of(reading, o.Component, slices.Concat(result.Warnings, reading.Warnings))
	if e == nil {
		return nil
	}
	labelSets := map[string]bool{}
	for _, s := range result.Series {
		if verb, scope := o.valueOf(s, labelVerb), o.valueOf(s, labelScope); o.selects(verb, scope) || o.isUnnamed(s, verb, scope) {
			labelSets[strings.Join(s.Values, "\xff")] = true
		}
	}
	signal := evidence.Signal(o.Reads, result, len(labelSets))
	signal.Queries, signal.QueriesOmitted = evidence.Queries(result)
	var part evidence.Part
	f := figures{Objective: o, Expressions: result.Expressions, rule: reading.Rule, tallies: a.tallies}
	if f.Expressions != nil && a.problem == "" && len(a.tallies) > 0 {
		f.addCounts(&part, status)
		f.addTotals(&part, status, reading)
	}
	f.addBeside(&part, status, reading, options)
	around.addFaithful(&part, f)
	if o.Official {
		part.Join(around.promiseEvidence(resources))
	}
	e.Signals, e.Figures = append([]v1alpha1.SignalEvidence{signal}, part.Signals...), part.Figures
	return e
}

// evidenceOfKeys points to that of the report, whose expressions give the figures of all
// keys at once.
func evidenceOfKeys(report *v1alpha1.Evidence) *v1alpha1.IndicatorEvidence {
	if report == nil {
		return nil
	}
	return &v1alpha1.IndicatorEvidence{EvaluationTime: report.EvaluationTime}
}

func (o Objective) valueOf(s sources.Series, label string) string {
	if i := slices.Index(o.Reads.Labels, label); i >= 0 && i < len(s.Values) {
		return s.Values[i]
	}
	return ""
}

// figures renders PromQL for the figures of one objective.
type figures struct {
	Objective
	sources.Expressions
	rule    sources.Rule
	tallies []*tally
}

// addCounts over all keys that count, and of each key.
func (f figures) addCounts(part *evidence.Part, status *v1alpha1.SLOReportStatus) {
	if counted := f.selections(among((*tally).counts)); len(counted) > 0 {
		if status.Requests != nil {
			part.Figure("requests", "sum("+f.requests(counted...)+")")
		}
		if status.SlowRequests != nil {
			part.Figure("slowRequests", "sum("+f.slow(counted...)+")")
		}
	}
	asked := slices.DeleteFunc(slices.Clone(f.tallies), func(t *tally) bool { return !(t.count > 0) || t.unreadable })
	if len(asked) == 0 {
		return
	}
	part.Figure("indicators.requests", f.requests(f.selection()))
	if f.hasBad() && !slices.ContainsFunc(asked, func(t *tally) bool { return !t.exact() }) {
		part.Figure("indicators.slowRequests", f.slow(f.selection()))
	}
	if like := alike(asked, func(t *tally) *sources.Buckets { return t.histogram }); like != nil {
		part.Figure("indicators.p99Milliseconds", f.quantile(f.Expressions, like, f.selection()))
	}
}

// requests of each key, rounded as they are served: see whole.
func (f figures) requests(selections ...sources.Selection) string {
	return evidence.Whole(f.total(selections) + " > 0")
}

// slow requests of each key, rounded likewise.
func (f figures) slow(selections ...sources.Selection) string {
	total := f.total(selections)
	var part string
	switch {
	case f.Type != v1alpha1.IndicatorRatio:
		part = "(" + total + " - " + f.increase(selections, sources.Bound(f.thresholdSeconds())) + ")"
	case f.Bad != nil:
		part = f.increase(selections, events(f.Bad)...)
	default:
		part = "(" + total + " - (" + f.increase(selections, events(f.Good)...) + " or 0 * " + total + "))"
	}
	return evidence.Whole(part + " > 1e-9 * " + total)
}

// total of events by key.
func (f figures) total(selections []sources.Selection) string {
	if f.Type == v1alpha1.IndicatorRatio {
		return f.increase(selections)
	}
	return f.increase(selections, sources.Bound(math.Inf(+1)))
}

// increase by key.
func (f figures) increase(selections []sources.Selection, more ...sources.Matcher) string {
	return f.Increase(f.Key, narrowed(selections, more)...)
}

// quantile of each key in milliseconds, rounded up as it is served: see milliseconds.
// A key without observations has none.
func (f figures) quantile(of sources.Expressions, like *sources.Buckets, selections ...sources.Selection) string {
	var le []sources.Matcher
	if !like.Native {
		// The bounds that all instances have, in case there are others.
		bounds := sources.Matcher{Label: "le"}
		for _, bound := range like.Bounds {
			bounds.Values = append(bounds.Values, sources.Bound(bound).Values...)
		}
		le = append(le, bounds)
	}
	buckets := of.Increase(append(slices.Clone(f.Key), "le"), narrowed(selections, le)...)
	return "ceil(1000 * (histogram_quantile(" + decimalOf(allowing(0.99, f.rule)) + ", " + buckets + ") >= 0) - 1e-6)"
}

// alike are the histograms of all keys, as far as they have one, in what has to be known
// of them to ask for a quantile: one of them stands for all. Nil where they differ, or
// there is none: then no expression is right for all.
func alike(tallies []*tally, of func(*tally) *sources.Buckets) *sources.Buckets {
	var first *sources.Buckets
	for _, t := range tallies {
		switch b := of(t); {
		case b == nil:
		case first == nil:
			first = b
		case b.Native != first.Native, !b.Native && !slices.Equal(first.Bounds, b.Bounds):
			return nil
		}
	}
	return first
}

// events of a Ratio as matchers: classes such as 5xx are patterns.
func events(byLabel map[string][]string) []sources.Matcher {
	var matchers []sources.Matcher
	for _, label := range slices.Sorted(maps.Keys(byLabel)) {
		m := sources.Matcher{Label: label}
		for _, value := range byLabel[label] {
			if isOfClass(value[:min(1, len(value))]+"00", value) {
				m.Patterns = append(m.Patterns, value[:1]+"[0-9][0-9]")
			} else {
				m.Values = append(m.Values, value)
			}
		}
		matchers = append(matchers, m)
	}
	return matchers
}

func decimalOf(q float64) string { return strconv.FormatFloat(q, 'f', -1, 64) }
