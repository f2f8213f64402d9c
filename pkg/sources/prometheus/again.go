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
	// born are matchers that what was born passes, by metric; none: nothing was.
	born map[string][]string
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
func (a *asked) found(metric string, matchers []string) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.born == nil {
		a.born = map[string][]string{}
	}
	a.born[metric] = matchers
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
	var terms []string
	for _, e := range a.parts {
		for _, selection := range orAll(selections) {
			terms = append(terms, a.increase(e, texts(selection))...)
		}
	}
	return "sum by (" + strings.Join(by, ",") + ") (" + strings.Join(terms, " or ") + ")"
}

// Equal says that a and other are the same expressions: that they say the same.
func (a *again) Equal(other *again) bool {
	all := func(x *again) []string {
		return []string{fmt.Sprint(x.asked.sent), x.Increase([]string{"instance"}), x.Newest(nil)}
	}
	return slices.Equal(all(a), all(other))
}

// increase in one metric. The terms have different label sets, so that "or" between
// them unites all.
func (a *again) increase(e expressions, more []string) []string {
	if e.signal.Kind == sources.Counter {
		if counted := e.counted(more); counted != "" {
			return []string{"(" + counted + ")"}
		}
		return []string{e.over("increase", "", e.rangeOf(), more)}
	}
	terms := []string{e.over("increase", "_bucket", e.rangeOf(), more)}
	if born := a.asked.born[e.part.metric]; len(born) > 0 {
		bounds, others := split(more)
		lacking := e.lacking("_bucket", slices.Concat(born, others), bounds, e.byInstance("le"), "le")
		// What the increases lack has the label sets of some of them.
		terms = append(terms, fmt.Sprintf(`label_replace(%s, "born", "true", "", "")`, lacking))
	}
	return terms
}

// Newest implements sources.Expressions.
func (a *again) Newest(by []string, selections ...sources.Selection) string {
	var terms []string
	for _, e := range a.parts {
		for _, selection := range orAll(selections) {
			terms = append(terms, e.chosen.now(e.part.metric, e.part.matchers, signalMatchers(e.signal), texts(selection))...)
		}
	}
	return "sum by (" + strings.Join(by, ",") + ") (" + strings.Join(terms, " or ") + ")"
}

// orAll is one selection of all where there is none.
func orAll(selections []sources.Selection) []sources.Selection {
	if len(selections) == 0 {
		return []sources.Selection{nil}
	}
	return selections
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
