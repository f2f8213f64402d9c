// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

const (
	startTime = "process_start_time_seconds"
	// before is how far back from the start of the window a sample may lie that
	// is the newest one there: as far as one may at its end.
	before = defaultMaxAge
)

// target is what Prometheus knows under one job and one instance label.
type target struct {
	job, instance string
	// name of the sources.Instance.
	name string
	// up is the newest sample of the metric up, NaN when there is none; upAt is its
	// time, and interval the usual one between two of them, both in seconds and 0
	// when not known.
	up, upAt, interval float64
	// first and last are the times of samples as sources.Instance has them, in
	// seconds since the epoch; 0 when there is none.
	first, last float64
	// started is when the newest process started, likewise.
	started float64
	// lost is the longest time, in seconds, between the last sample of a process and
	// the start of the next one; 0 when not known.
	lost float64
	// ended is the time of the last sample of a process that another one followed, which
	// was sampled first within the window; 0 when there was none. unclear says that it may
	// be another time.
	ended   float64
	unclear bool
	// born says that the process was born within the window, and that no older one
	// has samples in it.
	born bool
	// seldom says that fewer than two scrapes in the window succeeded.
	seldom bool
	// processes that answered in turn; 1 when each followed the one before.
	processes int
	// resets of its counters, where it tells no start time and they are too many.
	resets int
	// conflict names a label in which two series of the target differ that both
	// have samples of one time in the window.
	conflict string
	// cluster are its labels that name a cluster, in its newest series; other are those
	// of another series at that time.
	cluster, other []label
	// stranger says that other targets have another cluster: see choose.
	stranger bool

	starts, ups history
	// renamed says that the window holds samples of it under other labels too: its
	// series look as if they were born.
	renamed bool
}

// history is all samples of one series, oldest first, and its labels.
type history struct {
	labels  []label
	points  []point
	natives []native
	// spans of the series that follow each other in it, in any order.
	spans []span
}

// span is from the first to the last sample of a series.
type span struct{ first, last float64 }

// targetKey tells targets apart.
type targetKey struct{ job, instance string }

// targets are the targets of one component as they are being found.
type targets map[targetKey]*target

func (t targets) of(s *series) *target {
	key := targetKey{job: strings.Clone(s.label("job")), instance: strings.Clone(s.label("instance"))}
	found := t[key]
	if found == nil {
		found = &target{job: key.job, instance: key.instance, name: key.instance, up: math.NaN(), processes: 1}
		if node := s.label("node"); node != "" {
			found.name = strings.Clone(node)
		}
		t[key] = found
	}
	return found
}

// findTargets finds what there is of a component in the window.
func (s *Source) findTargets(ctx context.Context, q *session, component sources.Component, window time.Duration) (targets, error) {
	find := s.findFew
	if component == sources.Kubelet {
		find = s.findMany
	}
	found, err := find(ctx, q, component, window)
	if err != nil {
		return nil, fmt.Errorf("find instances of %s: %w", component, err)
	}
	for _, t := range found {
		// PromQL's increase() is between two samples in the window: here there is none, and
		// the figures stand for no time at all. Births have them.
		if t.seldom && !t.born && q.dialect.rule() == sources.Extrapolated {
			t.first = t.last
		}
	}
	return found, nil
}

// findFew reads every sample of the start times and of up: a few dozen for each
// of the few kube-apiservers. Only all samples show several processes that answer
// behind one address in turn.
func (s *Source) findFew(ctx context.Context, q *session, component sources.Component, window time.Duration) (targets, error) {
	found := targets{}
	start := seconds(q.at.Add(-window))
	take := func(one *series) error {
		t := found.of(one)
		t.name = t.instance
		into := &t.ups
		if one.label("__name__") == startTime {
			into = &t.starts
		}
		if label, conflict := into.conflict(one, start); conflict {
			t.conflict, t.other, t.renamed = label, clusterLabels(one), true
			return nil
		}
		t.renamed = t.renamed || len(into.points) > 0
		t.belongs(one, into)
		into.add(one)
		return nil
	}
	for _, name := range []string{startTime, "up"} {
		err := q.samples(ctx, selector(name, s.config.matchers(component), []string{s.config.job(component)}), window+before, take)
		if err != nil {
			return nil, err
		}
	}
	for _, t := range found {
		t.summarize(start)
	}
	return found, s.askResets(ctx, q, component, window, found)
}

// add takes the samples of a series: those of its first one, and of one that
// followed it under other labels.
func (h *history) add(one *series) {
	for _, l := range one.labels {
		h.labels = append(h.labels, label{name: strings.Clone(l.name), value: strings.Clone(l.value)})
	}
	h.points = append(h.points, one.points...)
	h.spans = append(h.spans, span{one.points[0].at, one.points[len(one.points)-1].at})
	slices.SortStableFunc(h.points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
}

// summarize fills in the figures from all samples; start is that of the window.
func (t *target) summarize(start float64) {
	if n := len(t.ups.points); n > 0 {
		t.up, t.upAt = t.ups.points[n-1].value, t.ups.points[n-1].at
		t.interval = interval(t.ups.points)
	}
	times, ahead := t.starts.points, false
	if len(times) > 0 {
		t.started = times[len(times)-1].value
		t.processes = processes(times)
		ahead = t.findRestart(times, start)
	} else { // without start times, successful scrapes are all there is to go by
		times = slices.DeleteFunc(slices.Clone(t.ups.points), func(p point) bool { return p.value != 1 })
	}
	if len(times) == 0 {
		return
	}
	t.first, t.last = times[0].at, times[len(times)-1].at
	within := 0
	for _, p := range times {
		if p.at <= start {
			t.first = p.at
		}
		if p.at >= start { // which is in the ranges of Prometheus 2
			within++
		}
	}
	t.seldom = within < 2
	if t.started > start && !ahead && sameStart(times[0].value, t.started) {
		t.first = t.started
	}
}

// interval is the median time between two points; 0 when not known.
func interval(points []point) float64 {
	if len(points) < 2 {
		return 0
	}
	gaps := make([]float64, len(points)-1)
	for i := range gaps {
		gaps[i] = points[i+1].at - points[i].at
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

func seconds(t time.Time) float64 {
	return float64(t.UnixMilli()) / 1000
}

// timeOf is the time of a sample or a process start; zero for 0.
func timeOf(seconds float64) time.Time {
	if !(seconds > 0) || seconds > 1e11 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
}
