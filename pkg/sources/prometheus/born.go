// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// PromQL's increase() knows a series from its first sample on: what it counted up
// to there is lost, and of a series with one sample everything. So a first rejected
// request is no request, and the first slow one of a kind is not slow. Of a label
// set that was born within the window (see sources.Rule), the last value is what it
// counted.
//
// That is told from what is merely new to Prometheus by asking only where it is
// known what there was at the start of the window: of instances that were sampled
// shortly before it, in the same range that the question looks at, or that started
// since. And it is asked for the labels that a signal keeps, not for all: a series
// that goes on under another label of its target was not born.

// old are the label sets that instances had at the start of the window. What the
// process before a born one had does not matter.
func (e expressions) old(suffix string, more []string) string {
	if len(e.chosen.born) > 0 {
		more = append(slices.Clone(more), noneOf("instance", e.chosen.born))
	}
	return fmt.Sprintf("sum by (%s) (%s)", e.byInstance(), e.over("last_over_time", suffix, atStart(e.window), more))
}

// born is the last value of each label set that was born, by instance, of those that
// pass the matchers in probe and more. It is "" when that can be said of no instance.
func (e expressions) born(suffix string, probe, more []string) string {
	others := e.others()
	known := len(e.chosen.counted) - len(e.chosen.unborn)
	if len(others) > 0 {
		known -= len(e.chosen.ended)
	}
	if known == 0 {
		return ""
	}
	own := slices.Concat(probe, others)
	if len(e.chosen.unborn) > 0 {
		own = append(own, noneOf("instance", e.chosen.unborn))
	}
	every := own
	own = slices.Concat(own, more)
	born := fmt.Sprintf("(%s unless %s)", e.last(suffix, own), e.old(suffix, own))
	if e.signal.Everywhere {
		// An instance without any of these had them without Prometheus keeping them.
		born = fmt.Sprintf("(%s and on (instance) %s)", born, e.old(suffix, every))
		if len(e.chosen.born) > 0 {
			born = fmt.Sprintf("(%s or %s)", born, e.last(suffix, append(own, oneOf("instance", e.chosen.born))))
		}
	}
	return born
}

// last values of label sets within the window, by instance.
func (e expressions) last(suffix string, more []string, labels ...string) string {
	return fmt.Sprintf("sum by (%s) (%s)", e.byInstance(labels...), e.over("last_over_time", suffix, e.rangeOf(), more))
}

// probe is the bucket that every histogram has.
const probe = `le="+Inf"`

// readBorn adds to the increases of buckets and sums what they lack of histograms
// that were born. One query finds these by one bucket of each; only when there are
// any, two more read all buckets of those alone.
func readBorn(ctx context.Context, q *session, e expressions, buckets, sums table) error {
	born := e.born("_bucket", []string{probe}, nil)
	if born == "" {
		return nil
	}
	found := "group by (" + e.byInstance() + ") (" + born + ")"
	labels, sets := values{}, [][]string(nil)
	err := q.query(ctx, e.asked.note(sources.RoleBorn, found), func(one *series) error {
		labels.add(one, "instance")
		labels.add(one, e.signal.Labels...)
		sets = append(sets, one.values(e.signal.Labels))
		return nil
	})
	if err != nil || len(labels) == 0 {
		return err
	}
	// To ask for more label sets of the same instances changes nothing, since what is
	// old is left out, and the question is the same at many instants then.
	q.ever(found, func(one *series) { labels.add(one, e.signal.Labels...) })
	more := narrowed(labels)
	e.asked.found(e.part.metric, births{more, sets})
	return both(
		func() error {
			promql := e.lacking("_bucket", more, e.buckets, e.by("le"), "le")
			return buckets.read(ctx, q, e.signal, e.asked.note(sources.RoleBornBuckets, promql), true)
		},
		func() error {
			return sums.readSum(ctx, q, e, sources.RoleBornSum, e.lacking("_sum", more, nil, e.by()))
		})
}

// lacking is what increases lack of the histograms that were born, of those that pass
// the matchers in more; buckets are matchers of those to read. It is summed by the
// labels in by, and taken with those in labels, beside the ones that are kept.
func (e expressions) lacking(suffix string, more, buckets []string, by string, labels ...string) string {
	// What is old is left out whatever bucket it is: a bound that is spelt anew
	// looks as if it was born.
	old := e.old("_bucket", append(slices.Clone(more), probe))
	more = slices.Concat(more, e.others())
	own := slices.Concat(more, buckets)
	last := fmt.Sprintf("(%s unless on (%s) %s)", e.last(suffix, own, labels...), e.byInstance(), old)
	increase := fmt.Sprintf("sum by (%s) (%s)", e.byInstance(labels...), e.over("increase", suffix, e.rangeOf(), own))
	return fmt.Sprintf("sum by (%[1]s) (clamp_min(%[2]s - %[3]s, 0) or %[2]s)", by, last, increase)
}

// values of labels.
type values map[string]map[string]bool

func (v values) add(one *series, names ...string) {
	for _, name := range names {
		if v[name] == nil {
			v[name] = map[string]bool{}
		}
		v[name][one.label(name)] = true
	}
}

// narrowed are matchers for label values, as long as they are not many.
func narrowed(labels values) []string {
	const most = 30
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if values := slices.Sorted(maps.Keys(labels[name])); len(values) <= most {
			matchers = append(matchers, oneOf(name, values))
		}
	}
	return matchers
}
