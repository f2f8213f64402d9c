// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// coverage tells how completely the instances of one component were read.
type coverage struct {
	component sources.Component
	window    time.Duration
	at        time.Time
	// sampledFrom is how many instances there are, where those expected are a
	// sample of them; otherwise 0.
	sampledFrom int
	// unlisted instances are those that the cluster has and the source does not know.
	unlisted int
	// Every expected instance is in one of these, sorted by name.
	complete []sources.Instance // covers the window
	partial  []sources.Instance // was read, but does not cover the window
	lacking  []sources.Instance // was read, and has no metric of the objective
	unread   []sources.Instance
	// newest sample of any instance, and the longest time one stands for.
	newest  time.Time
	longest time.Duration
}

func cover(o Objective, reading *sources.Reading) coverage {
	c := coverage{component: o.Component, window: o.Window, at: reading.At, sampledFrom: reading.Sampled[o.Component]}
	for _, i := range reading.Instances {
		if i.Component != o.Component {
			continue
		}
		switch {
		case !i.Observed:
			c.unread = append(c.unread, i)
			continue
		case slices.Contains(reading.Results[o.Signal].Missing, i.Name):
			c.lacking = append(c.lacking, i)
		case i.Complete(reading.At, o.Window, sources.Slack(o.Window)):
			c.complete = append(c.complete, i)
		default:
			c.partial = append(c.partial, i)
		}
		c.longest = max(c.longest, i.Covered())
		if i.Last.After(c.newest) {
			c.newest = i.Last
		}
	}
	for _, instances := range [][]sources.Instance{c.complete, c.partial, c.lacking, c.unread} {
		slices.SortFunc(instances, func(a, b sources.Instance) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), a.Started.Compare(b.Started))
		})
	}
	return c
}

// expect the instances that there are in the cluster: how many are not in the reading
// at all. A sample is of those that were chosen.
func (c *coverage) expect(around *circumstances, options Options) {
	if c.sampledFrom > 0 {
		return
	}
	expected := options.Expected[c.component]
	if nodes := around.objects["nodes"]; c.component == sources.Kubelet && options.EveryKubelet && nodes < maxWhole {
		expected = max(expected, int(nodes))
	}
	c.unlisted = max(0, expected-c.expected())
}

func (c coverage) expected() int { return len(c.complete) + c.incomplete() }
func (c coverage) incomplete() int {
	return len(c.partial) + len(c.lacking) + len(c.unread) + c.unlisted
}
func (c coverage) isFull() bool   { return len(c.complete) > 0 && c.incomplete() == 0 }
func (c coverage) shares() shares { return shares{observed: len(c.complete), expected: c.expected()} }

// isRead says that at least one instance was read, though perhaps not for all of
// the window or without the metric.
func (c coverage) isRead() bool { return len(c.complete)+len(c.partial)+len(c.lacking) > 0 }

// reason why coverage is what it is.
func (c coverage) reason() string {
	switch {
	case !c.isRead():
		return ReasonNoInstances
	case len(c.unread) > 0:
		return ReasonInstancesMissing
	case c.unlisted > 0:
		return ReasonTooFewInstances
	case len(c.lacking) > 0:
		return ReasonMetricMissing
	case len(c.partial) > 0:
		return ReasonWindowIncomplete
	case c.sampledFrom > 0:
		return ReasonSampled
	}
	return ReasonAllInstancesObserved
}

// message says in one line what was read and what was not.
func (c coverage) message() string {
	if c.expected() == 0 {
		return fmt.Sprintf("no %s is known", c.component)
	}
	of := fmt.Sprintf("%d %ss", c.expected(), c.component)
	if c.expected() == 1 {
		of = fmt.Sprintf("1 %s", c.component)
	}
	var parts []string
	if n := len(c.unread); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s not read: %s", n, of, name(c.unread, func(i sources.Instance) string { return i.Problem })))
	}
	if c.unlisted > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s not known to the source of the metrics: add them to what is scraped", c.unlisted, of))
	}
	if n := len(c.lacking); n > 0 {
		none := func(sources.Instance) string { return "" }
		parts = append(parts, fmt.Sprintf("%d of %s without the metric: %s", n, of, name(c.lacking, none)))
	}
	if n := len(c.partial); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s not read for all of the %s: %s", n, of, span(c.window), name(c.partial, c.gap)))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%d of %s read", len(c.complete), of)
	}
	return strings.Join(parts, "; ")
}

// sample says what the figures are of, where that is not all there is.
func (c coverage) sample() string {
	if c.sampledFrom == 0 {
		return ""
	}
	return fmt.Sprintf("a sample of %d of %d %ss", c.expected(), c.sampledFrom, c.component)
}

// gap says which part of the window the samples of an instance are from.
func (c coverage) gap(i sources.Instance) string {
	covered := span(i.Covered().Round(time.Second))
	if i.Lost > sources.Slack(c.window) {
		return fmt.Sprintf("%s, without up to %s before it restarted", covered, span(i.Lost.Round(time.Second)))
	}
	if early := c.at.Add(-c.window).Sub(i.First).Round(time.Second); early > sources.Slack(c.window) {
		return fmt.Sprintf("%s, from %s before its start", covered, span(early))
	}
	if late := c.at.Sub(i.Last).Round(time.Second); late > sources.Slack(c.window) {
		return fmt.Sprintf("%s, until %s before its end", covered, span(late))
	}
	return covered
}

// counts as the API has them: only instances whose metrics cover the window are
// observed.
func (c coverage) counts() *v1alpha1.InstanceCounts {
	const most = 10 // v1alpha1: "ten at most"
	var missing []string
	for _, i := range slices.Concat(c.unread, c.lacking, c.partial) {
		missing = append(missing, i.Name)
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	return &v1alpha1.InstanceCounts{
		Expected: int32(c.expected()),
		Observed: int32(len(c.complete)),
		Missing:  missing[:min(most, len(missing))],
	}
}

// observationTime is that of the newest sample; nil without one. It has whole
// seconds, as it has on the wire.
func (c coverage) observationTime() *metav1.Time {
	if c.newest.IsZero() {
		return nil
	}
	t := metav1.NewTime(c.newest.UTC().Truncate(time.Second))
	return &t
}

// windowSeconds is the longest time that one instance stands for; nil without one.
func (c coverage) windowSeconds() *int64 {
	if !c.isRead() {
		return nil
	}
	seconds := int64(math.Round(c.longest.Seconds()))
	return &seconds
}

// name the first instances, each with a note.
func name(instances []sources.Instance, note func(sources.Instance) string) string {
	const most, longest = 3, 200
	var names []string
	for _, i := range instances[:min(most, len(instances))] {
		text := strings.Join(strings.Fields(note(i)), " ")
		if len(text) > longest {
			text = strings.ToValidUTF8(text[:longest], "") + "..."
		}
		if text != "" {
			text = " (" + text + ")"
		}
		names = append(names, i.Name+text)
	}
	if more := len(instances) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// span formats a duration without the zero units of its String: 5m, not 5m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
