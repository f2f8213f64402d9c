// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// planAge is how long a plan holds while no instance changes. Metrics change their
// names with the version of Kubernetes, so that an instance that restarts is a
// better sign; kubelets come and go too often to be watched for that.
const planAge = time.Minute

// plan says which metrics carry the signals of a component, and which bounds their
// histograms have. Finding that out costs two queries; it is kept as long as it
// holds, so that a signal is read with the queries for one metric.
type plan struct {
	fingerprint string
	at          time.Time
	// assigned are the instance labels that are read from each carrier, by signal.
	// A signal that no instance has is not among them.
	assigned map[string]map[carrier][]string
	// bounds that all instances with the metric have, and old those that those of them
	// have had since the start of the window that have them at all, by carrier.series.
	bounds, old map[string][]float64
	// partial are those that have other bounds too.
	partial map[string]bool
	// complete says that every signal is carried by some metric, and on every
	// instance if it is watched.
	complete bool
}

// carrier of a signal: a metric, and for a Histogram signal whether its native or its
// classic histograms, or what a recording rule has made of these.
type carrier struct {
	metric           string
	native, recorded bool
}

// series that a carrier of a signal has, by the name of their metric.
func (c carrier) series(signal sources.Signal) string {
	if signal.Kind == sources.Histogram && !c.native && !c.recorded {
		return c.metric + "_bucket"
	}
	return c.metric
}

// probe of a carrier: matchers for one series of each histogram.
func (c carrier) probe(signal sources.Signal) []string {
	if signal.Kind == sources.Histogram && !c.native {
		return []string{probe}
	}
	return nil
}

// carriers of a signal, the preferred one first.
func carriers(signal sources.Signal) []carrier {
	var all []carrier
	for _, metric := range signal.Metrics {
		all = append(all, carrier{metric: metric})
		if signal.Kind == sources.Histogram {
			all = append(all, carrier{metric: metric, native: true})
		}
	}
	if signal.Recorded.Rate != "" {
		all = append(all, carrier{metric: signal.Recorded.Rate, recorded: true})
	}
	return all
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
func (s *Source) planFor(ctx context.Context, q *session, chosen *selection, window time.Duration) (*plan, error) {
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
	if err := found.assign(ctx, q, chosen, signals, window); err != nil {
		return nil, err
	}
	if err := found.assignSwitched(ctx, q, chosen, signals, window); err != nil {
		return nil, err
	}
	if fits {
		found.keep(last)
	}
	// While a signal is missing only the first query is repeated.
	if fits && maps.EqualFunc(found.assigned, last.assigned, func(a, b map[carrier][]string) bool {
		return maps.EqualFunc(a, b, slices.Equal)
	}) {
		return last, nil
	}
	if err := found.findBounds(ctx, q, chosen, signals, window); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.plans[chosen.component] = found
	s.mu.Unlock()
	return found, nil
}

// assign finds out which instance has which metrics, and gives it the first.
func (p *plan) assign(ctx context.Context, q *session, chosen *selection, signals []sources.Signal, window time.Duration) error {
	var named []string
	for _, signal := range signals {
		for _, c := range carriers(signal) {
			if c.recorded && signal.Recorded.Window != window {
				continue
			}
			named = append(named, name(c.series(signal), "group by (instance)", chosen.now(c.series(signal), chosen.matchers, c.probe(signal))))
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
	p.assigned = map[string]map[carrier][]string{}
	for _, signal := range signals {
		p.assignSignal(signal, have)
		if watched(signal) && len(p.missing(signal, chosen)) > 0 {
			p.complete = false
		}
	}
	return nil
}

func (p *plan) assignSignal(signal sources.Signal, have map[string]map[string]bool) {
	assigned := map[carrier][]string{}
	done := map[string]bool{}
	for _, c := range carriers(signal) {
		for _, instance := range slices.Sorted(maps.Keys(have[c.series(signal)])) {
			if !done[instance] {
				assigned[c] = append(assigned[c], instance)
				done[instance] = true
			}
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
	for signal, carriers := range last.assigned {
		has := map[string]bool{}
		for _, instances := range p.assigned[signal] {
			for _, instance := range instances {
				has[instance] = true
			}
		}
		for c, instances := range carriers {
			for _, instance := range instances {
				if has[instance] {
					continue
				}
				if p.assigned[signal] == nil {
					p.assigned[signal] = map[carrier][]string{}
				}
				p.assigned[signal][c] = append(p.assigned[signal][c], instance)
				slices.Sort(p.assigned[signal][c])
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
