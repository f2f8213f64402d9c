// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// againNative are expressions for a signal that was read from native histograms: these
// have no label le, and a bound is answered by histogram_fraction.
type againNative struct{ *again }

var _ sources.Expressions = againNative{}

// expressions for what was read; nil where nothing was, or where classic and native
// histograms were: PromQL has no sum of these.
func (a *again) expressions() sources.Expressions {
	native := slices.IndexFunc(a.parts, func(e expressions) bool { return e.part.native })
	classic := slices.IndexFunc(a.parts, func(e expressions) bool { return !e.part.native })
	switch {
	case native >= 0 && classic >= 0, len(a.parts) == 0:
		return nil
	case native >= 0:
		return againNative{a}
	}
	return a
}

// Increase implements sources.Expressions. Within a bound are as many observations as
// are interpolated in each of the histograms that are read; without one it is the sum
// of the histograms.
func (a againNative) Increase(by []string, selections ...sources.Selection) string {
	return a.sum(by, selections, func(e expressions, selection sources.Selection) []string {
		rest, bound := slices.Clone(selection), ""
		if i := slices.IndexFunc(rest, func(m sources.Matcher) bool { return m.Label == "le" }); i >= 0 {
			bound = rest[i].Values[0]
			rest = slices.Delete(rest, i, i+1)
		}
		return a.apart(e, upTo(bound, a.histograms(e, rest)))
	})
}

// Sum implements sources.Expressions.
func (a againNative) Sum(by []string, selections ...sources.Selection) string {
	return a.sum(by, selections, func(e expressions, selection sources.Selection) []string {
		return a.apart(e, "histogram_sum("+a.histograms(e, selection)+")")
	})
}

// apart from what other parts have, which is of the same label sets.
func (a againNative) apart(e expressions, term string) []string {
	if len(a.parts) > 1 {
		term = fmt.Sprintf(`label_replace(%s,%q,%q,"","")`, term, metricLabel, e.part.metric)
	}
	return []string{term}
}

// histograms that a selection has in one metric, with what was born.
func (a againNative) histograms(e expressions, selection sources.Selection) string {
	if _, touched := a.asked.born[e.part.metric].of(e.signal.Labels, selection); touched {
		return e.sinceBirth(texts(selection))
	}
	return e.increase("", texts(selection))
}

// upTo a bound, of histograms; all of them where there is none.
func upTo(bound, histograms string) string {
	switch bound {
	case "":
		return histograms
	case "+Inf":
		return "histogram_count(" + histograms + ")"
	}
	// The comparison leaves out what is not there: the share of none is no number.
	return fmt.Sprintf("(histogram_fraction(-Inf, %s, %[2]s) * histogram_count(%[2]s) >= 0)", bound, histograms)
}
