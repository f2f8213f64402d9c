// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// Compare says where a reading differs from what the scenario expects.
//
// Properties of an instance: observed or unobserved (which needs a Problem and no
// times), complete or incomplete (give or take one step), first=, last= and
// started= as offsets from the end of the window, started=unknown, lost=.
//
// Properties of a signal: metrics=A,B in any order, missing=A,B (no line: none),
// absent (no metric, no series), empty (no series).
//
// Properties of a series: increase=; last=, max=, samples= (all of them, oldest
// first, as OFFSET:VALUE,OFFSET:VALUE, or none); count=, sum=, le:BOUND=COUNT or
// le:BOUND=unknown, qN= for the N-th percentile, bucketN=LOWER..UPPER; instance=
// for signals read per instance. A signal may have no other series than those
// named, and no other instance may be in the reading.
//
// Of every signal that has series there is evidence, which no file states: see
// comparison.evidence.
func Compare(scenario Scenario, reading *sources.Reading) []string {
	c := comparison{scenario: scenario, reading: reading, named: map[string]bool{}}
	if !reading.At.Equal(scenario.At) || reading.Window != scenario.Window {
		c.differ(0, "the reading is of %s over %s, not of %s over %s", reading.At, reading.Window, scenario.At, scenario.Window)
	}
	for _, e := range scenario.expected {
		if len(e.rules) > 0 && !slices.Contains(e.rules, reading.Rule) {
			continue
		}
		if e.instance != "" {
			c.instance(e)
		} else {
			c.signal(e)
		}
	}
	c.nothingElse()
	c.evidence()
	return c.differences
}

type comparison struct {
	scenario    Scenario
	reading     *sources.Reading
	named       map[string]bool // instances and series that expectations named
	differences []string
}

func (c *comparison) differ(line int, format string, args ...any) {
	c.differences = append(c.differences, fmt.Sprintf("%s.txt:%d: ", c.scenario.Name, line)+fmt.Sprintf(format, args...))
}

func (c *comparison) instance(e expectation) {
	key := string(e.component) + " " + e.instance
	c.named[key] = true
	i := slices.IndexFunc(c.reading.Instances, func(i sources.Instance) bool {
		return i.Component == e.component && i.Name == e.instance
	})
	if i < 0 {
		c.differ(e.line, "instance %s is not in the reading", key)
		return
	}
	instance := c.reading.Instances[i]
	for _, property := range e.properties {
		if !c.instanceHas(instance, property) {
			c.differ(e.line, "instance %s is not %s: observed %t (%s), first %s, last %s, started %s", key, property,
				instance.Observed, instance.Problem, c.offset(instance.First), c.offset(instance.Last), c.offset(instance.Started))
		}
	}
}

func (c *comparison) instanceHas(i sources.Instance, property string) bool {
	name, value, _ := strings.Cut(property, "=")
	complete := i.Complete(c.scenario.At, c.scenario.Window, c.scenario.Step)
	switch name {
	case "observed":
		return i.Observed && i.Problem == ""
	case "unobserved":
		return !i.Observed && i.Problem != "" && i.First.IsZero() && i.Last.IsZero()
	case "complete":
		return complete
	case "incomplete":
		return !complete
	case "first":
		return c.offset(i.First) == value
	case "last":
		return c.offset(i.Last) == value
	case "lost":
		return i.Lost.Round(time.Millisecond).String() == value
	case "started":
		return c.offset(i.Started) == value
	}
	return false
}

// offset of a time from the end of the window, as the files spell it.
func (c *comparison) offset(t time.Time) string { return offset(t, c.scenario.At) }

func offset(t, end time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return strconv.FormatFloat(t.Sub(end).Round(time.Millisecond).Seconds(), 'f', -1, 64) + "s"
}

func (c *comparison) signal(e expectation) {
	result, known := c.reading.Results[e.signal]
	if !known {
		c.differ(e.line, "signal %s has no result", e.signal)
		return
	}
	if e.series != "" {
		c.series(e, result)
		return
	}
	for _, property := range e.properties {
		name, value, _ := strings.Cut(property, "=")
		holds := false
		switch name {
		case "absent":
			holds = len(result.Metrics) == 0 && len(result.Series) == 0
		case "empty":
			holds = len(result.Series) == 0
		case "metrics":
			metrics := slices.Sorted(slices.Values(result.Metrics))
			holds = slices.Equal(metrics, slices.Sorted(slices.Values(strings.Split(value, ","))))
		case "missing":
			holds = slices.Equal(result.Missing, strings.Split(value, ","))
			c.named[e.signal+" missing"] = true
		}
		if !holds {
			c.differ(e.line, "signal %s is not %s: metrics %q, %d series, missing %q, warnings %q",
				e.signal, property, result.Metrics, len(result.Series), result.Missing, result.Warnings)
		}
	}
}

func (c *comparison) series(e expectation, result sources.Result) {
	i := slices.IndexFunc(c.scenario.Signals, func(s sources.Signal) bool { return s.Name == e.signal })
	instance := ""
	for _, property := range e.properties {
		if value, found := strings.CutPrefix(property, "instance="); found {
			instance = value
		}
	}
	key := seriesKey(c.scenario.Signals[i], e.series) + instance
	c.named[e.signal+key] = true
	for _, series := range result.Series {
		if fmt.Sprintf("%q", series.Values)+series.Instance != key {
			continue
		}
		for _, property := range e.properties {
			if got := tolerance(c.scenario.Tolerance).seriesProperty(series, c.scenario.At, property); got != "" {
				c.differ(e.line, "%s%s %s: got %s", e.signal, e.series, property, got)
			}
		}
		return
	}
	c.differ(e.line, "%s%s of instance %q is not in the reading", e.signal, e.series, instance)
}

// seriesKey is the values of the labels of a signal as one string.
func seriesKey(signal sources.Signal, series string) string {
	values := make([]string, len(signal.Labels))
	for i, label := range signal.Labels {
		for pair := range strings.SplitSeq(strings.Trim(series, "{}"), ",") {
			if value, found := strings.CutPrefix(pair, label+"="); found {
				values[i] = strings.Trim(value, `"`)
			}
		}
	}
	return fmt.Sprintf("%q", values)
}

// nothingElse reports what is in the reading and was not expected, and lists that
// are not sorted.
func (c *comparison) nothingElse() {
	for i, instance := range c.reading.Instances {
		if key := string(instance.Component) + " " + instance.Name; !c.named[key] {
			c.differ(0, "instance %s was not expected", key)
		}
		if i > 0 && instanceOrder(c.reading.Instances[i-1], instance) >= 0 {
			c.differ(0, "instances are not sorted: %s before %s", c.reading.Instances[i-1].Name, instance.Name)
		}
	}
	for _, signal := range c.scenario.Signals {
		result := c.reading.Results[signal.Name]
		if len(result.Missing) > 0 && !c.named[signal.Name+" missing"] {
			c.differ(0, "signal %s is missing from %q, which was not expected", signal.Name, result.Missing)
		}
		for i, series := range result.Series {
			if !c.named[signal.Name+fmt.Sprintf("%q", series.Values)+series.Instance] {
				c.differ(0, "series %s%q of instance %q was not expected", signal.Name, series.Values, series.Instance)
			}
			if series.Samples != nil && !signal.Samples {
				c.differ(0, "series %s%q of instance %q has samples, which nobody asked for", signal.Name, series.Values, series.Instance)
			}
			if i > 0 && seriesOrder(result.Series[i-1], series) >= 0 {
				c.differ(0, "series of %s are not sorted: %q before %q", signal.Name, result.Series[i-1].Values, series.Values)
			}
		}
	}
	if got, want := len(c.reading.Results), len(c.scenario.Signals); got != want {
		c.differ(0, "%d results for %d signals", got, want)
	}
}

func instanceOrder(a, b sources.Instance) int {
	if order := strings.Compare(string(a.Component), string(b.Component)); order != 0 {
		return order
	}
	return strings.Compare(a.Name, b.Name)
}

func seriesOrder(a, b sources.Series) int {
	if order := strings.Compare(a.Instance, b.Instance); order != 0 {
		return order
	}
	return slices.Compare(a.Values, b.Values)
}
