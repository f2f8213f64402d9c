// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// assignSwitched has instances read from both their classic and their native
// histograms while the window holds a switch from the one to the other, such as an
// upgrade of Kubernetes: one kind was there at its start, and the other one is now. It
// asks only where native ones are read. Instances that had both are read from one.
func (p *plan) assignSwitched(ctx context.Context, q *session, chosen *selection, signals []sources.Signal, window time.Duration) error {
	var named []string
	for _, signal := range signals {
		for c := range p.assigned[signal.Name] {
			if c.native {
				named = append(named,
					hadMetric(chosen, window, c.series(signal)),
					hadMetric(chosen, window, carrier{metric: c.metric}.series(signal), probe))
			}
		}
	}
	if len(named) == 0 {
		return nil
	}
	slices.Sort(named)
	had := map[string]map[string]bool{} // instances by metric
	err := q.queryAll(ctx, slices.Compact(named), func(one *series) error {
		metric := strings.Clone(one.label(metricLabel))
		if had[metric] == nil {
			had[metric] = map[string]bool{}
		}
		had[metric][strings.Clone(one.label("instance"))] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("find out which histograms there were: %w", err)
	}
	for _, signal := range signals {
		more := map[carrier][]string{}
		for c, instances := range p.assigned[signal.Name] {
			other := carrier{metric: c.metric, native: !c.native}
			for _, instance := range instances {
				if !had[c.series(signal)][instance] && had[other.series(signal)][instance] {
					more[other] = append(more[other], instance)
				}
			}
		}
		for c, instances := range more {
			all := append(slices.Clone(p.assigned[signal.Name][c]), instances...)
			slices.Sort(all)
			p.assigned[signal.Name][c] = all
		}
	}
	return nil
}

// hadMetric names the instances that had a metric at the start of the window.
func hadMetric(chosen *selection, window time.Duration, metric string, more ...string) string {
	return name(metric, "group by (instance)", chosen.past(metric, window, more...))
}

// nativeMessage says of how many instances a signal is read from native histograms.
func (p *plan) nativeMessage(signal sources.Signal, metric string) string {
	all := map[string]bool{}
	for _, instances := range p.assigned[signal.Name] {
		for _, instance := range instances {
			all[instance] = true
		}
	}
	if n := len(p.assigned[signal.Name][carrier{metric: metric, native: true}]); n < len(all) {
		return fmt.Sprintf("%s is read from native histograms of %d of %d instances", metric, n, len(all))
	}
	return metric + " is read from native histograms"
}
