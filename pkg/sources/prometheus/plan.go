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

// planAge is how long a plan holds while no instance changes. Metrics change their
// names with the version of Kubernetes, so that an instance that restarts is a
// better sign; kubelets come and go too often to be watched for that.
const planAge = 10 * time.Minute

// plan says which metrics carry the signals of a component, and which bounds their
// histograms have. Finding that out costs two queries; it is kept as long as it
// holds, so that a signal is read with the queries for one metric.
type plan struct {
	fingerprint string
	at          time.Time
	// assigned are the instance labels that are read from each metric, by signal.
	// A signal that no instance has is not among them.
	assigned map[string]map[string][]string
	// bounds that all instances with the metric have, by metric.
	bounds map[string][]float64
	// partial are metrics that have other bounds too.
	partial map[string]bool
	// native are the metrics of signals of which Prometheus has native histograms only.
	native map[string]string
	// complete says that every signal is carried by some metric, and on every
	// instance if it is watched.
	complete bool
}

// planned signals are those that need a plan: with a choice of metrics, or bounds,
// or whose lack has to be known.
func planned(signal sources.Signal) bool {
	return len(signal.Metrics) > 1 || signal.Kind == sources.Histogram || signal.Everywhere
}

// watched signals are planned anew while an instance has none of their metrics, or
// instances change. Of many kubelets without a pod, that would be all the time.
func watched(signal sources.Signal) bool {
	return (signal.Component == sources.KubeAPIServer || signal.Everywhere) && !signal.Optional
}

// planFor returns the plan in force for a selection, and finds a new one when
// the last does not fit any more.
func (s *Source) planFor(ctx context.Context, q *session, chosen *selection) (*plan, error) {
	signals := slices.DeleteFunc(s.signalsOf(chosen.component), func(signal sources.Signal) bool { return !planned(signal) })
	if len(signals) == 0 || len(chosen.matchers) == 0 {
		return &plan{}, nil
	}
	fingerprint := ""
	if slices.ContainsFunc(signals, watched) {
		fingerprint = chosen.fingerprint()
	}
	s.mu.Lock()
	last := s.plans[chosen.component]
	s.mu.Unlock()
	fits := last != nil && last.fingerprint == fingerprint && q.at.Sub(last.at).Abs() < planAge
	if fits && last.complete {
		return last, nil
	}
	found := &plan{fingerprint: fingerprint, at: q.at}
	if err := found.assign(ctx, q, chosen, signals); err != nil {
		return nil, err
	}
	if fits {
		found.keep(last)
	}
	// While a signal is missing only the first query is repeated.
	if fits && maps.EqualFunc(found.assigned, last.assigned, func(a, b map[string][]string) bool {
		return maps.EqualFunc(a, b, slices.Equal)
	}) {
		return last, nil
	}
	if err := found.findBounds(ctx, q, chosen, signals); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.plans[chosen.component] = found
	s.mu.Unlock()
	return found, nil
}

// assign finds out which instance has which metrics, and gives it the first.
func (p *plan) assign(ctx context.Context, q *session, chosen *selection, signals []sources.Signal) error {
	var named []string
	for _, signal := range signals {
		for _, metric := range signal.Metrics {
			named = append(named, name(metric, "group by (instance)", chosen.now(metric, chosen.matchers))) // of a histogram: the native one
			if signal.Kind == sources.Histogram {
				named = append(named, name(metric+"_bucket", "group by (instance)", chosen.now(metric+"_bucket", chosen.matchers, []string{probe})))
			}
		}
	}
	slices.Sort(named) // several signals may read one metric
	named = slices.Compact(named)
	have := map[string]map[string]bool{} // instances by metric
	err := q.queryAll(ctx, named, func(one *series) error {
		metric := one.label(metricLabel)
		if have[metric] == nil {
			have[strings.Clone(metric)] = map[string]bool{}
		}
		have[metric][strings.Clone(one.label("instance"))] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("find out which metrics there are: %w", err)
	}
	p.complete = true
	p.assigned = map[string]map[string][]string{}
	p.native = map[string]string{}
	for _, signal := range signals {
		suffix := ""
		if signal.Kind == sources.Histogram {
			suffix = "_bucket"
		}
		p.assignSignal(signal, have, suffix)
		if watched(signal) && len(p.missing(signal, chosen)) > 0 {
			p.complete = false
		}
	}
	return nil
}

func (p *plan) assignSignal(signal sources.Signal, have map[string]map[string]bool, suffix string) {
	assigned := map[string][]string{}
	done := map[string]bool{}
	for _, metric := range signal.Metrics {
		for _, instance := range slices.Sorted(maps.Keys(have[metric+suffix])) {
			if !done[instance] {
				assigned[metric] = append(assigned[metric], instance)
				done[instance] = true
			}
		}
	}
	for _, metric := range signal.Metrics {
		if len(assigned) == 0 && suffix != "" && len(have[metric]) > 0 {
			p.native[signal.Name] = metric
			assigned[metric] = slices.Sorted(maps.Keys(have[metric]))
		}
	}
	if len(assigned) == 0 {
		p.complete = p.complete && signal.Optional
		return
	}
	p.assigned[signal.Name] = assigned
}

// keep what the last plan found of instances that have none of a signal's metrics at
// the moment: with a scrape that failed they are gone until the next one, and while
// another signal is missing every moment is looked at.
func (p *plan) keep(last *plan) {
	for signal, metrics := range last.assigned {
		has := map[string]bool{}
		for _, instances := range p.assigned[signal] {
			for _, instance := range instances {
				has[instance] = true
			}
		}
		for metric, instances := range metrics {
			for _, instance := range instances {
				if has[instance] {
					continue
				}
				if p.assigned[signal] == nil {
					p.assigned[signal] = map[string][]string{}
				}
				p.assigned[signal][metric] = append(p.assigned[signal][metric], instance)
				slices.Sort(p.assigned[signal][metric])
			}
		}
	}
}

// missing names the counted instances that have no metric of a signal, sorted.
func (p *plan) missing(signal sources.Signal, chosen *selection) []string {
	lacking := maps.Clone(chosen.counted)
	for _, instances := range p.assigned[signal.Name] {
		for _, instance := range instances {
			delete(lacking, instance)
		}
	}
	return slices.Sorted(maps.Values(lacking))
}

// findBounds counts the instances that have each bound. A sum over instances has
// those bounds only that all of them have (see sources.Buckets.Add), and PromQL's
// sum by (le) does not know.
func (p *plan) findBounds(ctx context.Context, q *session, chosen *selection, signals []sources.Signal) error {
	var names []string
	for _, signal := range signals {
		if signal.Kind == sources.Histogram && p.native[signal.Name] == "" {
			for metric := range p.assigned[signal.Name] {
				names = append(names, metric+"_bucket")
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
		metric := strings.TrimSuffix(one.label(metricLabel), "_bucket")
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
