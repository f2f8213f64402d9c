// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Matcher selects series by the value of a label. An absent label has the value "".
type Matcher struct {
	// Label is a valid name of a label.
	Label string
	// Values, one of which the label has, whatever characters are in them.
	Values []string
	// Patterns are regular expressions in RE2 syntax, one of which may match all of
	// the value instead. They are not quoted: never from outside.
	Patterns []string
	// Not selects the series that would not be selected otherwise.
	Not bool
}

// String is the matcher in PromQL. A value can not end the string that it is in:
// PromQL reads double-quoted strings as Go does
// (https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals).
func (m Matcher) String() string {
	operators := [2]string{"=", "=~"}
	if m.Not {
		operators = [2]string{"!=", "!~"}
	}
	if len(m.Values) == 1 && len(m.Patterns) == 0 {
		return m.Label + operators[0] + strconv.Quote(m.Values[0])
	}
	alternatives := make([]string, 0, len(m.Values)+len(m.Patterns))
	for _, value := range m.Values {
		alternatives = append(alternatives, regexp.QuoteMeta(value))
	}
	alternatives = append(alternatives, m.Patterns...)
	return m.Label + operators[1] + strconv.Quote(strings.Join(alternatives, "|"))
}

// Selection selects the series that every one of its matchers selects.
type Selection []Matcher

// Bound is a matcher for the bucket with this upper bound in seconds, however it is
// spelled: Prometheus 3 and OpenMetrics write 1.0, others 1.
func Bound(seconds float64) Matcher {
	le := strconv.FormatFloat(seconds, 'g', -1, 64)
	m := Matcher{Label: "le", Values: []string{le}}
	if !strings.ContainsAny(le, ".eIN") {
		m.Values = append(m.Values, le+".0")
	}
	return m
}

// Expressions are PromQL for what a signal did in a window. They are to be evaluated
// at the end of the window, Reading.At, cut to milliseconds.
type Expressions interface {
	// Increase of a Counter or of the buckets of a Histogram over the window, summed
	// by labels. These are among Signal.Labels, "le" for a histogram, and "instance"
	// for a signal that is PerInstance. Only series are counted that one of the
	// selections selects, which exclude each other and use labels of the same kind;
	// no selection selects all. A selection of a histogram without "le" counts each
	// bucket.
	Increase(by []string, selections ...Selection) string
	// Sum of what a Histogram observed in the window, in the unit of the metric, summed
	// likewise. Neither labels nor selections are of buckets.
	Sum(by []string, selections ...Selection) string
	// Newest values of a Gauge, summed likewise.
	Newest(by []string, selections ...Selection) string
}

// Canonical are Expressions for a Prometheus that scrapes the same targets as a
// source which is none. They name no scrape job, which is not known here: where other
// servers expose the same metrics, a matcher for it has to be added. PromQL
// extrapolates, so that increases differ a little from Exact ones.
type Canonical struct {
	// Signal that was read, and the Metrics it was read from, the preferred one first.
	Signal  Signal
	Metrics []string
	Window  time.Duration
}

// Increase implements Expressions.
func (c Canonical) Increase(by []string, selections ...Selection) string {
	suffix := ""
	if c.Signal.Kind == Histogram {
		suffix = "_bucket"
	}
	return c.increase(by, selections, suffix)
}

// Sum implements Expressions.
func (c Canonical) Sum(by []string, selections ...Selection) string {
	return c.increase(by, selections, "_sum")
}

func (c Canonical) increase(by []string, selections []Selection, suffix string) string {
	return c.united(by, selections, "increase(", suffix, fmt.Sprintf("[%s])", Duration(c.Window)))
}

// Newest implements Expressions.
func (c Canonical) Newest(by []string, selections ...Selection) string {
	return c.united(by, selections, "", "", "")
}

// united is the sum of what is before and after a selector. An instance is read from
// the first metric that it has.
func (c Canonical) united(by []string, selections []Selection, before, suffix, after string) string {
	if len(selections) == 0 {
		selections = []Selection{nil}
	}
	own := c.Signal.Matchers()
	var alternatives []string
	for _, metric := range c.Metrics {
		var terms []string
		for _, selection := range selections {
			terms = append(terms, before+Select(metric+suffix, own, selection)+after)
		}
		alternatives = append(alternatives, strings.Join(terms, " or "))
	}
	if len(alternatives) > 1 {
		for i, terms := range alternatives {
			alternatives[i] = "(" + terms + ")"
		}
	}
	return "sum by (" + strings.Join(by, ",") + ") (" + strings.Join(alternatives, " or on (instance) ") + ")"
}

// Matchers of the signal's own declaration, sorted by label.
func (s Signal) Matchers() Selection {
	var own Selection
	for label, values := range s.Match {
		own = append(own, Matcher{Label: label, Values: values})
	}
	slices.SortFunc(own, func(a, b Matcher) int { return strings.Compare(a.Label, b.Label) })
	return own
}

// Select is a selector of the series of a metric.
func Select(metric string, selections ...Selection) string {
	var matchers []string
	for _, selection := range selections {
		for _, m := range selection {
			matchers = append(matchers, m.String())
		}
	}
	return metric + "{" + strings.Join(matchers, ",") + "}"
}

// Duration writes a PromQL duration, to the millisecond.
func Duration(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}
