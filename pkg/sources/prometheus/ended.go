// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// PromQL sees that a process started anew when a counter falls. One that has reached what
// the process before it had, when it is sampled first, seems to go on: all that it counted
// up to there is lost. Where the bucket at a threshold fell and that of all requests did
// not, the slow ones are lost with it. It is no rare case, since a kube-apiserver makes the
// same few requests at each of its starts. The start times show when the old process was
// sampled last, and what its counters had then is added where they did not fall.

// findRestart fills in what the samples of the start time tell of a restart since start.
// ahead says that a process was sampled before it started, by its clock.
func (t *target) findRestart(starts []point, start float64) (ahead bool) {
	ahead = slices.ContainsFunc(starts, beforeStart)
	t.born = t.started > start && !ahead && !slices.ContainsFunc(starts, func(p point) bool {
		return p.at > start && !sameStart(p.value, t.started)
	})
	t.lost = lost(starts, start)
	t.findEnd(starts, start)
	return ahead
}

// findEnd tells from the samples of the start time whether one process followed another
// one since start, and when that one was sampled last, if it was since. It is unclear
// where there were several, and where the new one says that it started before that
// sample: so does one whose clock is set forward, which did not start anew.
func (t *target) findEnd(starts []point, start float64) {
	followed := false
	for i := 1; i < len(starts); i++ {
		p, last := starts[i], starts[i-1]
		if p.at <= start || p.value <= start || p.value < last.value || sameStart(p.value, last.value) {
			continue
		}
		t.unclear = t.unclear || followed || p.value < last.at && !sameStart(p.value, last.at)
		followed = true
		if last.at > start {
			t.ended = last.at
		}
	}
}

// mostRestarted are the targets whose ends are read: each of them makes all queries longer.
const mostRestarted = 200

// findRestarts of targets whose newest process started within the window.
func (s *Source) findRestarts(ctx context.Context, q *session, component sources.Component, window time.Duration, found targets) error {
	start := seconds(q.at.Add(-window))
	restarted := map[string]*target{}
	for _, t := range found {
		if t.started > start && !t.born {
			restarted[t.instance] = t
		}
	}
	if len(restarted) == 0 {
		return nil
	}
	if len(restarted) > mostRestarted {
		for _, t := range restarted {
			t.unclear = true
		}
		return nil
	}
	instances := slices.Sorted(maps.Keys(restarted))
	starts := selector(startTime, s.config.matchers(component), []string{s.config.job(component), oneOf("instance", instances)})
	return q.samplesOnce(ctx, starts, window+before, func(one *series) error {
		if t := found[targetKey{job: one.label("job"), instance: one.label("instance")}]; t != nil {
			t.findRestart(one.points, start)
		}
		return nil
	})
}

// ended are the values at the end of processes that another one followed within the
// window, of series that the newer one has too and that pass the matchers in more. They
// differ from all others in the label process.
func (e expressions) ended(suffix string, more []string) []string {
	return e.atEnd(suffix, more, func(before, goesOn, _ string) string { return before + " and " + goesOn })
}

// passed are those of them that the newer process passed unseen.
func (e expressions) passed(suffix string, more []string) []string {
	return e.atEnd(suffix, more, func(before, goesOn, resets string) string {
		return fmt.Sprintf("%s and %s unless %s > 0", before, goesOn, resets)
	})
}

func (e expressions) atEnd(suffix string, more []string, term func(before, goesOn, resets string) string) []string {
	var terms []string
	for _, instance := range slices.Sorted(maps.Keys(e.chosen.ended)) {
		for _, matchers := range e.part.matchers {
			one := selector(e.part.metric+suffix, matchers, signalMatchers(e.signal), more, []string{oneOf("instance", []string{instance})})
			end, now := e.chosen.ended[instance], one
			if last, failing := e.chosen.failing[instance]; failing {
				now += atTime(last)
			}
			// Not every store keeps the markers at the end of a series.
			goesOn := fmt.Sprintf("%s and timestamp(%[1]s) > %s", now, decimal(end))
			resets := "resets(" + one + e.rangeOf() + ")"
			terms = append(terms, fmt.Sprintf(`label_replace(%s, "process", "ended", "", "")`, term(one+atTime(end), goesOn, resets)))
		}
	}
	return terms
}

// atTime is a modifier of selectors.
func atTime(seconds float64) string { return " @ " + decimal(seconds) }

// decimal seconds, to the millisecond.
func decimal(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
