// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// PromQL sees that a process started anew when a counter falls. One that has reached what
// the process before it had, when it is sampled first, seems to go on: all that it counted
// up to there is lost. Where the bucket at a threshold fell and that of all requests did
// not, the slow ones are lost with it. It is no rare case, since a kube-apiserver makes the
// same few requests at each of its starts. MetricsQL moreover takes a small fall for none.
// So the increase of an instance that restarted is not asked for. The start times show when
// the old process was sampled last: what that had counted since the start of the window, and
// all that the new one has counted, is what both did.

// end of a process that another one followed within the window.
type end struct {
	// at is the time of its last sample.
	at float64
	// newest is the time of the newest sample of the other one, where its series have
	// ended since; otherwise 0.
	newest float64
}

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
// one that was sampled last before the first sample of the new one since start. It is
// unclear where there were several, and where the new one says that it started before
// that sample: so does one whose clock is set forward, which did not start anew.
func (t *target) findEnd(starts []point, start float64) {
	followed := false
	for i := 1; i < len(starts); i++ {
		p, last := starts[i], starts[i-1]
		if p.at <= start || p.value <= start-skewed || p.value < last.value || sameStart(p.value, last.value) {
			continue
		}
		t.unclear = t.unclear || followed || p.value < last.at && !sameStart(p.value, last.at)
		followed, t.ended = true, last.at
	}
}

// skewed is by how many seconds clocks may differ: a process that says that it started
// longer than that before the window started did so.
const skewed = 60

// mostRestarted are the instances whose ends are used: each makes all queries longer, by
// about 1 KB. See mostText.
func (d dialect) mostRestarted() int {
	if d == metricsQL {
		return 8
	}
	return 50
}

// findRestarts of targets of which a few samples were read: those whose start time changed
// within the window.
func (s *Source) findRestarts(ctx context.Context, q *session, component sources.Component, window time.Duration, found targets) error {
	start := seconds(q.at.Add(-window))
	recent := func(t *target) bool { return t.started > start-skewed }
	if !slices.ContainsFunc(slices.Collect(maps.Values(found)), recent) {
		return nil
	}
	matchers := [][]string{s.config.matchers(component), {s.config.job(component)}}
	restarted := map[targetKey]*target{}
	changes := fmt.Sprintf("max by (job,instance) (changes(%s[%s])) > 0", selector(startTime, matchers...), duration(window+before))
	err := q.query(ctx, changes, func(one *series) error {
		key := targetKey{job: one.label("job"), instance: one.label("instance")}
		if t := found[key]; t != nil && recent(t) {
			restarted[targetKey{strings.Clone(key.job), strings.Clone(key.instance)}] = t
		}
		return nil
	})
	if err != nil || len(restarted) == 0 {
		return err
	}
	if len(restarted) > q.dialect.mostRestarted() {
		for _, t := range restarted {
			t.unclear = true
		}
		return nil
	}
	var instances []string
	for key := range restarted {
		instances = append(instances, key.instance)
	}
	slices.Sort(instances)
	starts := selector(startTime, append(matchers, []string{oneOf("instance", slices.Compact(instances))})...)
	err = q.samplesOnce(ctx, starts, window+before, func(one *series) error {
		if t := restarted[targetKey{job: one.label("job"), instance: one.label("instance")}]; t != nil {
			t.renamed = t.renamed || len(t.starts.points) > 0
			t.starts.add(one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range restarted {
		if t.findRestart(t.starts.points, start); !t.born && t.first == t.started && len(t.starts.points) > 0 {
			t.first = t.starts.points[0].at // of a process that was born within the window, too
		}
	}
	return nil
}

// increases over the window of the series that pass the matchers in more, of instances that
// did not restart in it.
func (e expressions) increases(suffix string, more []string) string {
	return e.over("increase", suffix, e.rangeOf(), slices.Concat(more, e.others()))
}

// others are matchers for instances whose increase PromQL knows.
func (e expressions) others() []string {
	if len(e.chosen.ended) == 0 || e.part.native {
		return nil
	}
	return []string{noneOf("instance", slices.Sorted(maps.Keys(e.chosen.ended)))}
}

// acrossEnds are the increases over the window of instances that restarted in it, of the
// series that pass the matchers in more: terms that differ from all others in the label
// process. Of native histograms PromQL sees a restart by each bucket, and has it in its
// increase.
func (e expressions) acrossEnds(suffix string, more []string, labels ...string) []string {
	if e.part.native {
		return nil
	}
	var terms []string
	for _, instance := range slices.Sorted(maps.Keys(e.chosen.ended)) {
		for _, matchers := range e.part.matchers {
			own := slices.Concat(matchers, signalMatchers(e.signal), []string{oneOf("instance", []string{instance})})
			terms = append(terms, e.acrossEnd(e.chosen.ended[instance], e.part.metric+suffix, own, more, e.byInstance(labels...))...)
		}
	}
	return terms
}

// acrossEnd are the two terms of one instance: its new process, and the old one.
func (e expressions) acrossEnd(end end, metric string, own, more []string, by string) []string {
	had := func(one string) string { return fmt.Sprintf("last_over_time(%s%s)", one, atStart(e.window)) }
	one := selector(metric, own, more)
	now := one
	if end.newest > 0 {
		now += atTime(end.newest)
	}
	// Not every store keeps the markers at the end of a series.
	now = fmt.Sprintf("%s and timestamp(%[1]s) > %s", now, decimal(end.at))
	old := fmt.Sprintf("sum by (%s) (%s)", by, one+atTime(end.at))
	since := fmt.Sprintf("%s - sum by (%s) (%s)", old, by, had(one))
	if e.signal.Everywhere { // see born
		some := own // of the series that the signal is read from
		if strings.HasSuffix(metric, "_bucket") {
			some = append(some, probe)
		}
		old += " and on (instance) " + had(selector(metric, some))
	}
	return []string{
		fmt.Sprintf(`label_replace(%s, "process", "new", "", "")`, now),
		fmt.Sprintf(`label_replace(%s or %s, "process", "old", "", "")`, since, old),
	}
}

// atTime is a modifier of selectors.
func atTime(seconds float64) string { return " @ " + decimal(seconds) }

// decimal seconds, to the millisecond.
func decimal(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
