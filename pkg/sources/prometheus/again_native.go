// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"slices"
	"strings"

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
	var terms []string
	for _, selection := range orAll(selections) {
		rest := slices.Clone(selection)
		i := slices.IndexFunc(rest, func(m sources.Matcher) bool { return m.Label == "le" })
		bound := ""
		if i >= 0 {
			bound = rest[i].Values[0]
			rest = slices.Delete(rest, i, i+1)
		}
		for _, e := range a.parts {
			term := a.within(e, bound, rest)
			if len(a.parts) > 1 { // which have the same label sets
				term = fmt.Sprintf(`label_replace(%s,%q,%q,"","")`, term, metricLabel, e.part.metric)
			}
			terms = append(terms, term)
		}
	}
	return "sum by (" + strings.Join(by, ",") + ") (" + strings.Join(terms, " or ") + ")"
}

// within a bound, of the histograms that a selection has in one metric.
func (a againNative) within(e expressions, bound string, selection sources.Selection) string {
	sum := e.increase("", texts(selection))
	if _, touched := a.asked.born[e.part.metric].of(e.signal.Labels, selection); touched {
		sum = e.sinceBirth(texts(selection))
	}
	switch bound {
	case "":
		return sum
	case "+Inf":
		return "histogram_count(" + sum + ")"
	}
	// The comparison leaves out what is not there: the share of none is no number.
	return fmt.Sprintf("(histogram_fraction(-Inf, %s, %[2]s) * histogram_count(%[2]s) >= 0)", bound, sum)
}
