// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	// An instance that had classic histograms and now has native ones did not have them
	// born: somebody changed what is scraped. It did where its process restarted.
	switched := born
	if fresh := slices.Concat(e.chosen.born, e.chosen.restarted); len(fresh) > 0 {
		switched += " unless on (instance) " + e.old("_bucket", []string{probe, noneOf("instance", fresh)})
		last := e.last("", slices.Concat(more, []string{oneOf("instance", fresh)}))
		return fmt.Sprintf("((%s) or (%s unless %s))", switched, last, e.old("", more))
	}
	return fmt.Sprintf("(%s unless on (instance) %s)", switched, e.old("_bucket", []string{probe}))
}

// sinceBirth are the histograms of the label sets that pass the matchers in more, with
// what was born on any instance.
func (e expressions) sinceBirth(more []string) string {
	return fmt.Sprintf("sum by (%s) (%s)", e.by(), strings.Join(e.sinceBirthByInstance(more), " or "))
}

func (e expressions) sinceBirthByInstance(more []string) []string {
	by := "sum by (" + e.byInstance() + ") (%s)"
	increase := fmt.Sprintf(by, e.over("increase", "", e.rangeOf(), more))
	resets := fmt.Sprintf(by, e.over("resets", "", e.rangeOf(), more))
	born := e.bornNative(more)
	kept := fmt.Sprintf("(%s > 0 and histogram_count(%s) > histogram_count(%s))", resets, increase, born)
	return []string{fmt.Sprintf("(%s unless %s)", born, kept), increase}
}
