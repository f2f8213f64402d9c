// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// spelt are how many instances have a bucket, by the value of its label le.
type spelt map[string]float64

// findBounds finds out which bounds all instances have, now and at the start of the
// window. A sum over instances has no others (see sources.Buckets.Add), and PromQL's
// sum by (le) does not know. A bucket that begins to be kept within the window, or is
// spelt anew as by an upgrade of Prometheus, lacks what was counted before or meanwhile:
// for as many requests as that is, it would seem that they were slower.
func (p *plan) findBounds(ctx context.Context, q *session, chosen *selection, signals []sources.Signal, window time.Duration) error {
	var named []string
	for _, signal := range signals {
		for c := range p.assigned[signal.Name] {
			if signal.Kind != sources.Histogram || c.native {
				continue
			}
			metric := c.series(signal)
			named = append(named, countBounds(metric, chosen.now(metric, chosen.matchers, q.buckets())))
			if !c.recorded { // what it was made from is not known
				more := q.buckets()
				if len(chosen.born) > 0 { // whose older processes do not matter
					more = append(slices.Clone(more), noneOf("instance", chosen.born))
				}
				named = append(named, countBounds(metric+earlier, chosen.past(metric, window, more...)))
			}
		}
	}
	slices.Sort(named)
	all := map[string]spelt{} // by metric
	err := q.queryAll(ctx, slices.Compact(named), func(one *series) error {
		metric, le := one.label(metricLabel), one.label("le")
		if _, err := strconv.ParseFloat(le, 64); err != nil {
			return fmt.Errorf("%s has the bound le=%q, which is not a number", strings.TrimSuffix(metric, earlier), le)
		}
		if all[metric] == nil {
			all[strings.Clone(metric)] = spelt{}
		}
		all[metric][strings.Clone(le)] = one.points[0].value
		return nil
	})
	if err != nil {
		return fmt.Errorf("find out which buckets there are: %w", err)
	}
	p.bounds, p.old, p.partial = map[string][]float64{}, map[string][]float64{}, map[string]bool{}
	for metric, now := range all {
		if !strings.HasSuffix(metric, earlier) {
			p.bounds[metric], p.old[metric], p.partial[metric] = common(now, all[metric+earlier])
		}
	}
	return nil
}

// earlier marks a metric as that at the start of the window.
const earlier = "@start"

func countBounds(metric string, selectors []string) string {
	return name(metric, "count by (le)", []string{"group by (instance,le) (" + strings.Join(selectors, " or ") + ")"})
}

// common are the bounds, in order, that all instances have now and had before, and old
// those that each instance had before that has them now; partial says that some are not
// in common. Where a bound has two spellings on one instance the older one has ended.
func common(now, before spelt) (bounds, old []float64, partial bool) {
	type counts struct{ now, before float64 }
	byBound := map[float64]counts{} // 1 on one instance and 1.0 on another
	for le, n := range now {
		bound, _ := strconv.ParseFloat(le, 64)
		sum := byBound[bound]
		byBound[bound] = counts{sum.now + n, sum.before + before[le]}
	}
	every := byBound[math.Inf(1)]
	for _, bound := range slices.Sorted(maps.Keys(byBound)) {
		n := byBound[bound]
		if n.now == every.now && n.before == every.before {
			bounds = append(bounds, bound)
		} else {
			partial = true
		}
		if n.now <= every.now && n.before >= min(n.now, every.before) {
			old = append(old, bound)
		}
	}
	return bounds, old, partial
}
