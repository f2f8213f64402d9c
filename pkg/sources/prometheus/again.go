// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"example.io/slo-apiserver/pkg/sources"
)

// asked are the queries that were sent for one signal, and what has to be known of
// them to ask again. A nil one notes nothing.
type asked struct {
	mu   sync.Mutex
	sent []sources.Query
	// born is what was born, by metric; none: nothing was.
	born map[string]births
}

// births of histograms of one metric.
type births struct {
	// matchers that all of them pass.
	matchers []string
	// sets of values of Signal.Labels that they have.
	sets [][]string
}

// note a query that is about to be sent, and return it.
func (a *asked) note(role sources.Role, promql string) string {
	if a != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.sent = append(a.sent, sources.Query{Role: role, PromQL: promql})
	}
	return promql
}

// found notes that histograms were born.
func (a *asked) found(metric string, born births) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.born == nil {
		a.born = map[string]births{}
	}
	a.born[metric] = born
}

// queries by role, in the order of sources.Roles, and of one role by text.
func (a *asked) queries() []sources.Query {
	roles := sources.Roles()
	slices.SortFunc(a.sent, func(x, y sources.Query) int {
		return cmp.Or(cmp.Compare(slices.Index(roles, x.Role), slices.Index(roles, y.Role)), cmp.Compare(x.PromQL, y.PromQL))
	})
	return a.sent
}

// again are sources.Expressions with which Prometheus says what it said in one Read:
// of the same targets, with the same births added. It is not changed once it is in a
// Result.
type again struct {
	asked asked
	// parts that had series.
	parts []expressions
}

var _ sources.Expressions = &again{}

// Increase implements sources.Expressions.
func (a *again) Increase(by []string, selections ...sources.Selection) string {
	return a.sum(by, selections, func(e expressions, selection sources.Selection) []string {
		if e.signal.Kind == sources.Counter {
			return e.increaseOfCounter(selection)
		}
		if e.part.recorded {
			return e.recordedIncrease(texts(selection))
		}
		return a.increase(e, "_bucket", selection, "le")
	})
}

// Sum implements sources.Expressions.
func (a *again) Sum(by []string, selections ...sources.Selection) string {
	return a.sum(by, selections, func(e expressions, selection sources.Selection) []string {
		if e.part.recorded {
			return nil // whose sums nobody has recorded
		}
		return a.increase(e, "_sum", selection)
	})
}

// Newest implements sources.Expressions.
func (a *again) Newest(by []string, selections ...sources.Selection) string {
	return a.sum(by, selections, func(e expressions, selection sources.Selection) []string {
		return e.chosen.now(e.part.metric, e.part.matchers, signalMatchers(e.signal), texts(selection))
	})
}

// sum of the terms of all parts and selections; none is a selection of all. The terms
// have different label sets, so that "or" between them unites all.
func (a *again) sum(by []string, selections []sources.Selection, terms func(expressions, sources.Selection) []string) string {
	if len(selections) == 0 {
		selections = []sources.Selection{nil}
	}
	var all []string
	for _, e := range a.parts {
		for _, selection := range selections {
			all = append(all, terms(e, selection)...)
		}
	}
	return "sum by (" + strings.Join(by, ",") + ") (" + strings.Join(all, " or ") + ")"
}

// Equal says that a and other are the same expressions: that they say the same.
func (a *again) Equal(other *again) bool {
	all := func(x *again) []string {
		return []string{fmt.Sprint(x.asked.sent), fmt.Sprint(x.asked.born), x.Increase([]string{"instance"}), x.Newest(nil)}
	}
	return slices.Equal(all(a), all(other))
}

// increaseOfCounter of one metric.
func (e expressions) increaseOfCounter(selection sources.Selection) []string {
	more := texts(selection)
	increases := e.increases("", more)
	if counted := e.counted(more); counted != "" {
		increases = "(" + counted + ")"
	}
	return append([]string{increases}, e.acrossEnds("", more)...)
}

// increase of a part of the histograms of one metric, whose series have these labels
// beside those of the signal.
func (a *again) increase(e expressions, suffix string, selection sources.Selection, labels ...string) []string {
	more := texts(selection)
	terms := append([]string{e.increases(suffix, more)}, e.acrossEnds(suffix, more, labels...)...)
	if born, touched := a.asked.born[e.part.metric].of(e.signal.Labels, selection); touched {
		bounds, others := split(more)
		lacking := e.lacking(suffix, slices.Concat(born, others), bounds, e.byInstance(labels...), labels...)
		// What the increases lack has the label sets of some of them.
		terms = append(terms, fmt.Sprintf(`label_replace(%s, "born", "true", "", "")`, lacking))
	}
	return terms
}

// of a selection: matchers to put beside its own, and whether it selects any birth.
func (b births) of(labels []string, selection sources.Selection) (matchers []string, touched bool) {
	touched = slices.ContainsFunc(b.sets, func(set []string) bool {
		return !slices.ContainsFunc(selection, func(m sources.Matcher) bool {
			i := slices.Index(labels, m.Label)
			return i >= 0 && len(m.Patterns) == 0 && slices.Contains(m.Values, set[i]) == m.Not
		})
	})
	// A label with one value was born with it, or nothing of the selection was.
	pinned := func(matcher string) bool {
		return slices.ContainsFunc(selection, func(m sources.Matcher) bool {
			return slices.Contains(labels, m.Label) && len(m.Values) == 1 && len(m.Patterns) == 0 && !m.Not && strings.HasPrefix(matcher, m.Label+"=")
		})
	}
	return slices.DeleteFunc(slices.Clone(b.matchers), pinned), touched
}

// split matchers of buckets from others: whether a label set was born does not depend
// on the bucket.
func split(matchers []string) (bounds, others []string) {
	for _, m := range matchers {
		if strings.HasPrefix(m, "le=") {
			bounds = append(bounds, m)
		} else {
			others = append(others, m)
		}
	}
	return bounds, others
}
