// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// isGood says whether events of a series with these labels are good ones, where that
// is known.
func (o Objective) isGood(value func(label string) string) (good, known bool) {
	if o.Good != nil {
		return o.fits(o.Good, value)
	}
	bad, known := o.fits(o.Bad, value)
	return !bad, known
}

// fits says whether every label has one of its values. That is not known of a series
// without a label that was to tell: somebody dropped it on the way, and its absence is
// neither a success nor a failure. Where absence says something, "" is among the values.
func (o Objective) fits(events map[string][]string, value func(label string) string) (fits, known bool) {
	known = true
	for label, values := range events {
		got := value(label)
		switch {
		case slices.ContainsFunc(values, func(want string) bool { return got == want || isOfClass(got, want) }):
		case got == "" && !o.mayLack(label):
			known = false
		default:
			return false, true
		}
	}
	return known, known
}

// mayLack says that series may be without the label: the core group has no name, most
// requests are for no subresource, and others are read so on purpose.
func (o Objective) mayLack(label string) bool {
	return label == labelGroup || label == labelSubresource || slices.Contains(o.Reads.Match[label], "")
}

// isOfClass says that a code is of a class such as 5xx.
func isOfClass(code, class string) bool {
	return len(class) == 3 && class[1:] == "xx" && class[0] >= '1' && class[0] <= '9' &&
		len(code) == 3 && code[0] == class[0] && isDigit(code[1]) && isDigit(code[2])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// addCount of another series of the key, whose events are all good or all bad, or of
// which that is not known.
func (t *tally) addCount(count float64, good, known bool) {
	if !(count >= 0 && count <= maxWhole) {
		t.unreadable = true
		return
	}
	t.count += count
	if good && known {
		t.least += count
	}
	if good || !known {
		t.most += count
	}
	if !known {
		t.unplaced += count
	}
}

// How messages speak of an objective that holds, one that does not, and its keys.

func (o Objective) held() string {
	if o.Type == v1alpha1.IndicatorRatio {
		return fmt.Sprintf("at least %s good", percent(o.GoodMillionths))
	}
	return fmt.Sprintf("p%d %s", o.Percentile, o.inside())
}

func (o Objective) broken() string {
	if o.Type == v1alpha1.IndicatorRatio {
		return o.beyond()
	}
	return fmt.Sprintf("p%d %s", o.Percentile, o.beyond())
}

func (o Objective) inside() string {
	if o.Type == v1alpha1.IndicatorRatio {
		return o.held()
	}
	return "within " + span(o.Threshold)
}

func (o Objective) beyond() string {
	if o.Type == v1alpha1.IndicatorRatio {
		return fmt.Sprintf("below %s good", percent(o.GoodMillionths))
	}
	return "over " + span(o.Threshold)
}

func (o Objective) badWord() string {
	if o.Type == v1alpha1.IndicatorRatio {
		return "bad"
	}
	return "slow"
}

func (o Objective) unreadable() string {
	if o.Type == v1alpha1.IndicatorRatio {
		return "the count can not be read"
	}
	return "the histogram can not be read"
}

// labelsMissing says why the number of bad events is not known, and what to do.
func (o Objective) labelsMissing() string {
	labels := slices.Collect(maps.Keys(o.Good))
	if o.Good == nil {
		labels = slices.Collect(maps.Keys(o.Bad))
	}
	if o.Verbs != nil && !slices.Contains(labels, labelVerb) {
		labels = append(labels, labelVerb)
	}
	slices.Sort(labels)
	return fmt.Sprintf("without the label %s on some series good and bad %s can not be told apart: keep it in what is scraped, or have \"\" among its values",
		strings.Join(labels, " or "), o.Events)
}

// percent of some millionths: 99.9%.
func percent(millionths int64) string { return decimal(millionths*100) + "%" }

// informational is what becomes of an indicator without an objective.
func (k *keys) informational(o Objective) judgement {
	switch {
	case len(k.by[undecided]) > 0: // not one of their counts can be read
		return k.undecidedJudgement(o)
	case len(k.figures) == 0:
		return judgement{v1alpha1.VerdictNoTraffic, ReasonNoTraffic, fmt.Sprintf("no %s in the window", o.Events)}
	}
	return judgement{v1alpha1.VerdictInformational, ReasonInformational, "there is no objective for this indicator: the figures are for information"}
}
