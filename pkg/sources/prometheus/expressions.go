// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// expressions are what is asked about one metric of a signal.
type expressions struct {
	signal sources.Signal
	part   part
	chosen *selection
	window time.Duration
	// buckets are matchers of those to read of a histogram; nil: all.
	buckets []string
	// labels of the signal to keep; nil: all.
	labels  []string
	dialect dialect
	// longer ranges are for tests: see Config.
	longer time.Duration
	// asked are the queries that are sent; nil: nobody wants to know.
	asked *asked
}

// by lists the labels that are kept of the signal and those in more. Several selectors
// exclude each other.
func (e expressions) by(more ...string) string {
	labels := e.signal.Labels
	if e.labels != nil {
		labels = e.labels
	}
	by := slices.Concat(labels, more)
	if e.signal.PerInstance {
		by = append(by, instanceLabels(e.signal.Component)...)
	}
	return strings.Join(by, ",")
}

// byInstance is the same, with each instance apart.
func (e expressions) byInstance(more ...string) string {
	return strings.Join(slices.Concat(e.signal.Labels, more, instanceLabels(e.signal.Component)), ",")
}

// over applies a function to a range of each series that is counted and passes
// the matchers in more.
func (e expressions) over(function, suffix, rangeOf string, more []string) string {
	var terms []string
	for _, matchers := range e.part.matchers {
		if function == "increase" {
			terms = append(terms, e.increaseOver(e.part.metric+suffix, rangeOf, matchers, signalMatchers(e.signal), more)...)
			continue
		}
		terms = append(terms, fmt.Sprintf("%s(%s%s)", function, selector(e.part.metric+suffix, matchers, signalMatchers(e.signal), more), rangeOf))
	}
	return strings.Join(terms, " or ")
}

// rangeOf the window.
func (e expressions) rangeOf() string { return "[" + duration(e.window+e.longer) + "]" }

// increase over the window, of a part of a histogram or of a counter.
func (e expressions) increase(suffix string, more []string, labels ...string) string {
	terms := append([]string{e.increases(suffix, more)}, e.acrossEnds(suffix, more, labels...)...)
	return fmt.Sprintf("sum by (%s) (%s)", e.by(labels...), strings.Join(terms, " or "))
}

// newest values of a gauge.
func (e expressions) newest(more []string) string {
	selectors := e.chosen.now(e.part.metric, e.part.matchers, signalMatchers(e.signal), more)
	return fmt.Sprintf("sum by (%s) (%s)", e.by(), strings.Join(selectors, " or "))
}

// highest sum of a gauge in any one sample of an instance. The series of an
// instance are scraped together, so that a step which is no longer than the
// interval between two scrapes holds one sample of all of them; where it is longer,
// the sum of their maxima within the step is an upper bound. Steps are multiples of
// themselves since 1970: the last one may end before the newest sample, and the
// first one begin before the window.
func (e expressions) highest() string {
	step := duration(peakStep(e.window))
	highest := fmt.Sprintf("max_over_time((sum by (%s) (%s))[%s:%s])",
		e.byInstance(), e.over("max_over_time", "", "["+step+"]", nil), duration(e.window), step)
	if e.signal.PerInstance {
		return highest
	}
	return fmt.Sprintf("sum by (%s) (%s)", e.by(), highest)
}

// peakStep is shorter than usual scrape intervals, and no window has more than 60.
func peakStep(window time.Duration) time.Duration {
	const shortest, most = 5 * time.Second, 60
	return max(shortest, (window / most).Truncate(time.Second))
}

// counter is the increase of a counter, and for label sets that were born no less
// than their last value.
func (e expressions) counter() string {
	counted := e.counted(nil)
	if counted == "" {
		return e.increase("", nil)
	}
	terms := append([]string{"(" + counted + ")"}, e.acrossEnds("", nil)...)
	return fmt.Sprintf("sum by (%s) (%s)", e.by(), strings.Join(terms, " or "))
}

// counted is the same before it is summed, of those that pass the matchers in more;
// "" where nothing can be said of births. Instances that restarted are not among them.
func (e expressions) counted(more []string) string {
	born := e.born("", nil, more)
	if born == "" {
		return ""
	}
	increase := fmt.Sprintf("sum by (%s) (%s)", e.byInstance(), e.increases("", more))
	return fmt.Sprintf("%[1]s > %[2]s or %[2]s or %[1]s", born, increase)
}
