// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// mostResets of a counter in a window of an instance that tells no start time: one
// process may have followed another. Where they fall time and again, several answer in
// turn, and each change from one to the other would count as all that it ever counted.
const mostResets = 1

// askResets finds out how often counters fell in the window, of targets that tell no
// start time. It asks of what every instance has; where no signal is that, nothing is
// known.
func (s *Source) askResets(ctx context.Context, q *session, component sources.Component, window time.Duration, found targets) error {
	silent := false
	for _, t := range found {
		silent = silent || t.started == 0
	}
	var terms []string
	for _, signal := range s.signalsOf(component) {
		if !signal.Everywhere || signal.Kind == sources.Gauge {
			continue
		}
		for _, metric := range signal.Metrics {
			own := signalMatchers(signal)
			if signal.Kind == sources.Histogram {
				metric, own = metric+"_bucket", append(own, probe)
			}
			counters := selector(metric, s.config.matchers(component), []string{s.config.job(component)}, own)
			// Named apart: of the same labels "or" would take the first metric alone.
			terms = append(terms, name(metric, "max by (job,instance)", []string{fmt.Sprintf("resets(%s[%s])", counters, duration(window+s.config.longer))}))
		}
	}
	if !silent || len(terms) == 0 {
		return nil
	}
	promql := "max by (job,instance) (" + strings.Join(terms, " or ") + fmt.Sprintf(") > %d", mostResets)
	return q.query(ctx, promql, func(one *series) error {
		if t := found[targetKey{job: one.label("job"), instance: one.label("instance")}]; t != nil && t.started == 0 {
			t.resets = int(one.points[0].value)
		}
		return nil
	})
}

// lost is the longest time since start between the last sample of a process and the
// start of the next one.
func lost(starts []point, start float64) float64 {
	longest := 0.0
	for i := 1; i < len(starts); i++ {
		if p, last := starts[i], starts[i-1]; p.at > start && !sameStart(p.value, last.value) {
			longest = max(longest, p.value-max(last.at, start))
		}
	}
	return longest
}

// sameStart allows for one second between the start times that a process tells:
// they are computed from the boot time of the kernel, which is whole seconds and
// follows corrections of the clock (prometheus/procfs, ProcStat.StartTime).
func sameStart(a, b float64) bool {
	return math.Abs(a-b) <= 1
}

// beforeStart says of a sample that the process in it was yet to start: its clock is ahead
// of that of Prometheus, and it is older than it says.
func beforeStart(p point) bool {
	return p.at < p.value && !sameStart(p.at, p.value)
}

// processes counts those that answered in turn. Processes that follow each other
// start later and later; when a start time comes back or goes back, several are
// alive. It goes back a little, and does not come back, when a clock is corrected.
func processes(starts []point) int {
	const correction = 60 // seconds; more is no correction
	var distinct []float64
	several := false
	for i, p := range starts {
		same := func(start float64) bool { return sameStart(start, p.value) }
		known := slices.ContainsFunc(distinct, same)
		if i > 0 && !same(starts[i-1].value) {
			several = several || known || p.value < starts[i-1].value-correction
		}
		if !known {
			distinct = append(distinct, p.value)
		}
	}
	if !several {
		return 1
	}
	return len(distinct)
}
