// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// startTime is the family by which a process says when it started. It is read
// from every target: it tells one process from the next.
const startTime = "process_start_time_seconds"

// family is a metric family to keep.
type family struct {
	name string
	kind sources.Kind
	// matches are the restrictions of the signals that read the family: a series
	// is kept when it passes one of them.
	matches []map[string][]string
	signals []sources.Signal // that read it
}

// plan is what to keep of the answers of one component, by name of the family.
type plan map[string]*family

// newPlans derives what to keep of each component from the signals.
func newPlans(signals []sources.Signal) (map[sources.Component]plan, error) {
	plans := map[sources.Component]plan{}
	names := map[string]bool{}
	for _, signal := range signals {
		switch {
		case signal.Name == "":
			return nil, fmt.Errorf("signal of %v: has no name", signal.Metrics)
		case names[signal.Name]:
			return nil, fmt.Errorf("signal %s: declared twice", signal.Name)
		case signal.Component == "":
			return nil, fmt.Errorf("signal %s: has no component", signal.Name)
		case len(signal.Metrics) == 0:
			return nil, fmt.Errorf("signal %s: names no metric", signal.Name)
		case signal.Kind != sources.Histogram && signal.Kind != sources.Counter && signal.Kind != sources.Gauge:
			return nil, fmt.Errorf("signal %s: unknown kind %d", signal.Name, signal.Kind)
		case signal.Samples && (signal.Kind != sources.Gauge || !signal.PerInstance):
			return nil, fmt.Errorf("signal %s: only a gauge that is read per instance has samples", signal.Name)
		}
		names[signal.Name] = true
		if plans[signal.Component] == nil {
			plans[signal.Component] = plan{startTime: {name: startTime, kind: sources.Gauge}}
		}
		for _, metric := range signal.Metrics {
			if err := plans[signal.Component].add(metric, signal); err != nil {
				return nil, err
			}
		}
	}
	for component, p := range plans {
		if err := p.unambiguous(); err != nil {
			return nil, fmt.Errorf("signals of %s: %w", component, err)
		}
	}
	return plans, nil
}

// unambiguous checks that no family is spelled like a part of a histogram.
func (p plan) unambiguous() error {
	for name, f := range p {
		if f.kind != sources.Histogram {
			continue
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if p[name+suffix] != nil {
				return fmt.Errorf("%s is a part of the histogram %s, which is read too", name+suffix, name)
			}
		}
	}
	return nil
}

func (p plan) add(metric string, signal sources.Signal) error {
	f := p[metric]
	if f == nil {
		f = &family{name: metric, kind: signal.Kind}
		p[metric] = f
	}
	if f.kind != signal.Kind {
		return fmt.Errorf("signal %s: reads %s as a %s, another signal as a %s", signal.Name, metric, kindName(signal.Kind), kindName(f.kind))
	}
	f.matches = append(f.matches, signal.Match)
	if n := len(f.signals); n == 0 || f.signals[n-1].Name != signal.Name { // a metric named twice
		f.signals = append(f.signals, signal)
	}
	return nil
}

// keeps says whether a signal reads the series with these labels.
func (f *family) keeps(labels []label) bool {
	return slices.ContainsFunc(f.matches, func(match map[string][]string) bool {
		return matches(match, labels)
	})
}

// matches says whether labels pass the restriction of a signal.
func matches(match map[string][]string, labels []label) bool {
	for name, values := range match {
		if !slices.Contains(values, labelValue(labels, name)) {
			return false
		}
	}
	return true
}

// kindName is the name the exposition formats have for a kind.
func kindName(kind sources.Kind) string {
	switch kind {
	case sources.Histogram:
		return "histogram"
	case sources.Counter:
		return "counter"
	default:
		return "gauge"
	}
}
