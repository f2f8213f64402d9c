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

// longestExpression in bytes: those of thousands of resources of which some count and
// some do not are left out, rather than shown in part.
const longestExpression = 16 << 10

// evidence of a report. The queries and expressions are there where the source has
// them; those of figures only where the status has the figure.
func (a Assessment) evidence(status *v1alpha1.SLOReportStatus, reading *sources.Reading) *v1alpha1.Evidence {
	o := a.objective
	result := reading.Results[o.Signal]
	e := evidence.Of(reading, o.Component, slices.Concat(result.Warnings, reading.Warnings))
	if e == nil {
		return nil
	}
	labelSets := map[string]bool{}
	for _, s := range result.Series {
		if o.selects(o.valueOf(s, labelVerb), o.valueOf(s, labelScope)) {
			labelSets[strings.Join(s.Values, "\xff")] = true
		}
	}
	signal := evidence.Signal(o.Reads, result, len(labelSets))
	signal.Queries = evidence.Queries(result)
	e.Signals = []v1alpha1.SignalEvidence{signal}
	if result.Expressions != nil && a.problem == "" && len(a.tallies) > 0 {
		f := figures{Objective: o, Expressions: result.Expressions, rule: reading.Rule}
		e.Figures = f.of(status, a.tallies)
	}
	return e
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
	rule sources.Rule
}

func (f figures) of(status *v1alpha1.SLOReportStatus, tallies []*tally) []v1alpha1.FigureEvidence {
	var all []v1alpha1.FigureEvidence
	add := func(figure, expression string) {
		if expression != "" && len(expression) <= longestExpression {
			all = append(all, v1alpha1.FigureEvidence{Figure: figure, Expression: expression})
		}
	}
	counted := f.counted(tallies)
	if status.Requests != nil && len(counted) > 0 {
		add("requests", "sum("+f.requests(counted...)+")")
	}
	if status.SlowRequests != nil && len(counted) > 0 {
		add("slowRequests", "sum("+f.slow(counted...)+")")
	}
	if len(status.Worst) == 0 {
		return all
	}
	worst := tallies[slices.IndexFunc(tallies, func(t *tally) bool { return t.key == keyOfFigures(status.Worst[0]) })]
	only := f.selection(f.exactly(worst.key)...)
	add("worst[0].requests", f.requests(only))
	if f.hasBad() && worst.exact() {
		add("worst[0].slowRequests", f.slow(only))
	}
	if status.Worst[0].P99Milliseconds != nil {
		add("worst[0].p99Milliseconds", f.quantile(0.99, worst.histogram, only))
	}
	return all
}

func keyOfFigures(k v1alpha1.KeyFigures) key { return key{k.Group, k.Resource, k.Subresource, k.Verb} }

// selection of the objective's own series, narrowed down.
func (f figures) selection(more ...sources.Matcher) sources.Selection {
	var s sources.Selection
	if f.Verbs != nil {
		s = append(s, sources.Matcher{Label: labelVerb, Values: f.Verbs})
	}
	if f.Scope != "" {
		s = append(s, sources.Matcher{Label: labelScope, Values: []string{f.Scope}})
	}
	return append(s, more...)
}

// exactly the key.
func (f figures) exactly(k key) []sources.Matcher {
	var matchers []sources.Matcher
	for _, label := range f.Key {
		matchers = append(matchers, sources.Matcher{Label: label, Values: []string{k.label(label)}})
	}
	return matchers
}

// counted selects the keys that count, and none that is excluded; none: no key counts.
func (f figures) counted(tallies []*tally) []sources.Selection {
	var selections []sources.Selection
	for _, s := range split(tallies, f.Key) {
		selections = append(selections, f.selection(s...))
	}
	return selections
}

// split keys into selections of those that count, which exclude each other: as far as
// all keys with one value of a label stand alike, by that label alone.
func split(tallies []*tally, labels []string) []sources.Selection {
	excludes := func(t *tally) bool { return t.excluded != "" }
	switch {
	case !slices.ContainsFunc(tallies, excludes):
		return []sources.Selection{nil}
	case len(labels) == 0 || !slices.ContainsFunc(tallies, func(t *tally) bool { return !excludes(t) }):
		return nil
	}
	label := labels[0]
	byValue := map[string][]*tally{}
	var values []string // sorted, for the same text each time
	for _, t := range tallies {
		value := t.label(label)
		if byValue[value] == nil {
			values = append(values, value)
		}
		byValue[value] = append(byValue[value], t)
	}
	slices.Sort(values)
	var pure []string
	var mixed []sources.Selection
	for _, value := range values {
		parts := split(byValue[value], labels[1:])
		if len(parts) == 1 && parts[0] == nil {
			pure = append(pure, value)
			continue
		}
		for _, part := range parts {
			own := sources.Matcher{Label: label, Values: []string{value}}
			mixed = append(mixed, append(sources.Selection{own}, part...))
		}
	}
	if len(pure) == 0 {
		return mixed
	}
	others := slices.DeleteFunc(values, func(v string) bool { return slices.Contains(pure, v) })
	these, notThese := sources.Matcher{Label: label, Values: pure}, sources.Matcher{Label: label, Values: others, Not: true}
	if len(notThese.String()) < len(these.String()) {
		these = notThese
	}
	return append([]sources.Selection{{these}}, mixed...)
}

// requests of each key, rounded as they are served: see whole.
func (f figures) requests(selections ...sources.Selection) string {
	return rounded(f.total(selections) + " > 0")
}

// slow requests of each key, rounded likewise.
func (f figures) slow(selections ...sources.Selection) string {
	total := f.total(selections)
	var part string
	switch {
	case f.Type != v1alpha1.IndicatorRatio:
		part = "(" + total + " - " + f.increase(selections, sources.Bound(f.Threshold.Seconds())) + ")"
	case f.Bad != nil:
		part = f.increase(selections, events(f.Bad)...)
	default:
		part = "(" + total + " - (" + f.increase(selections, events(f.Good)...) + " or 0 * " + total + "))"
	}
	return rounded(part + " > 1e-9 * " + total)
}

// rounded numbers, none of them to zero.
func rounded(positive string) string { return "clamp_min(round(" + positive + "), 1)" }

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

// quantile in milliseconds, rounded up as it is served: see milliseconds.
func (f figures) quantile(q float64, b *sources.Buckets, only sources.Selection) string {
	q = allowing(q, f.rule)
	if !b.Native {
		// The bounds that all instances have, in case there are others.
		bounds := sources.Matcher{Label: "le"}
		for _, bound := range b.Bounds {
			bounds.Values = append(bounds.Values, sources.Bound(bound).Values...)
		}
		only = append(slices.Clone(only), bounds)
	}
	return "ceil(1000 * histogram_quantile(" + decimalOf(q) + ", " + f.Increase([]string{"le"}, only) + ") - 1e-6)"
}

func narrowed(selections []sources.Selection, more []sources.Matcher) []sources.Selection {
	all := make([]sources.Selection, len(selections))
	for i, s := range selections {
		all[i] = slices.Concat(s, more)
	}
	return all
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
