// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// Of native histograms PromQL has no greater one of two, which is what is taken of
// classic ones that were born. The last value is all that a process counted since its
// birth, and is taken in place of the increase. Only where a process started anew after
// that, the one of the two that has more observations is.

// readBorn replaces the histograms of label sets that were born on some instance. One
// query finds them; only when there are any, another reads these anew.
func (t nativeTable) readBorn(ctx context.Context, q *session, e expressions) error {
	born := e.bornNative(nil)
	if born == "" {
		return nil
	}
	found := "group by (" + e.byInstance() + ") (" + born + ")"
	labels, sets := values{}, [][]string(nil)
	err := q.query(ctx, e.asked.note(sources.RoleBorn, found), func(one *series) error {
		labels.add(one, e.signal.Labels...)
		sets = append(sets, one.values(e.signal.Labels))
		return nil
	})
	if err != nil || len(sets) == 0 {
		return err
	}
	// As for classic ones, the question is the same at many instants then.
	q.ever(found, func(one *series) { labels.add(one, e.signal.Labels...) })
	more := narrowed(labels)
	e.asked.found(e.part.metric, births{more, sets})
	return t.read(ctx, q, e.signal, e.asked.note(sources.RoleBornBuckets, e.sinceBirth(more)))
}

// bornNative is the last value of each label set that was born, by instance, of those
// that pass the matchers in more; "" when that can be said of no instance.
func (e expressions) bornNative(more []string) string {
	born := e.born("", nil, more)
	if born == "" {
		return ""
	}
	// Where an instance had classic histograms at the start of the window, and goes on
	// with native ones, these were not born: somebody changed what is scraped. They
	// were where its process is a new one.
	fresh := slices.Concat(e.chosen.born, e.chosen.restarted)
	switched := []string{probe}
	if len(fresh) > 0 {
		switched = append(switched, noneOf("instance", fresh))
	}
	born = fmt.Sprintf("(%s unless on (instance) %s)", born, e.old("_bucket", switched))
	if len(fresh) > 0 {
		last := e.last("", slices.Concat(more, []string{oneOf("instance", fresh)}))
		born = fmt.Sprintf("(%s or (%s unless %s))", born, last, e.old("", more))
	}
	return born
}

// sinceBirth are the histograms of the label sets that pass the matchers in more, with
// all that was counted since a birth on any instance.
func (e expressions) sinceBirth(more []string) string {
	over := func(function string) string {
		return fmt.Sprintf("sum by (%s) (%s)", e.byInstance(), e.over(function, "", e.rangeOf(), more))
	}
	born, increase := e.bornNative(more), over("increase")
	anew := fmt.Sprintf("(%s > 0 and histogram_count(%s) > histogram_count(%s))", over("resets"), increase, born)
	return fmt.Sprintf("sum by (%s) ((%s unless %s) or %s)", e.by(), born, anew, increase)
}
