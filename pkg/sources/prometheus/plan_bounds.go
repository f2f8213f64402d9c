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

	"example.io/slo-apiserver/pkg/sources"
)

// findBounds counts the instances that have each bound. A sum over instances has
// those bounds only that all of them have (see sources.Buckets.Add), and PromQL's
// sum by (le) does not know.
func (p *plan) findBounds(ctx context.Context, q *session, chosen *selection, signals []sources.Signal) error {
	var names []string
	for _, signal := range signals {
		for c := range p.assigned[signal.Name] {
			if signal.Kind == sources.Histogram && !c.native {
				names = append(names, c.series(signal))
			}
		}
	}
	p.bounds, p.partial = map[string][]float64{}, map[string]bool{}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	var named []string
	for _, metric := range slices.Compact(names) {
		named = append(named, name(metric, "count by (le)", []string{"group by (instance,le) (" + strings.Join(chosen.now(metric, chosen.matchers, q.buckets()), " or ") + ")"}))
	}
	instances := map[string]map[float64]float64{} // by metric and bound
	err := q.queryAll(ctx, named, func(one *series) error {
		metric := one.label(metricLabel)
		le, err := strconv.ParseFloat(one.label("le"), 64)
		if err != nil {
			return fmt.Errorf("%s has the bound le=%q, which is not a number", metric, one.label("le"))
		}
		if instances[metric] == nil {
			instances[strings.Clone(metric)] = map[float64]float64{}
		}
		instances[metric][le] += one.points[0].value // 1 on one instance and 1.0 on another
		return nil
	})
	if err != nil {
		return fmt.Errorf("find out which buckets there are: %w", err)
	}
	for metric, counts := range instances {
		for _, le := range slices.Sorted(maps.Keys(counts)) {
			if counts[le] >= counts[math.Inf(1)] {
				p.bounds[metric] = append(p.bounds[metric], le)
			} else {
				p.partial[metric] = true
			}
		}
	}
	return nil
}
