// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/sources"
)

// result of one signal in the making.
type result struct {
	signal  sources.Signal
	window  window
	metrics map[string]bool
	series  map[string]*sources.Series
}

// resultOf a signal over the members of its component.
func resultOf(signal sources.Signal, w window, members []member) sources.Result {
	r := result{signal: signal, window: w, metrics: map[string]bool{}, series: map[string]*sources.Series{}}
	warned := map[string][]string{}
	for _, m := range members {
		if !m.counts() {
			continue
		}
		r.addMember(m)
		for _, text := range m.warnings(signal) {
			warned[text] = append(warned[text], m.Name)
		}
	}
	out := sources.Result{Metrics: slices.Sorted(maps.Keys(r.metrics))}
	for _, s := range r.series {
		out.Series = append(out.Series, *s)
	}
	slices.SortFunc(out.Series, func(a, b sources.Series) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), slices.Compare(a.Values, b.Values))
	})
	for _, text := range slices.Sorted(maps.Keys(warned)) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s (%s)", text, some(warned[text])))
	}
	return out
}

// warnings about the metrics of a signal in the newest answer of a member.
func (m member) warnings(signal sources.Signal) []string {
	newest := m.spans[len(m.spans)-1].process
	var texts []string
	for _, metric := range signal.Metrics {
		texts = append(texts, newest.warnings[metric]...)
	}
	return texts
}

// addMember adds what the processes of a member did.
func (r *result) addMember(m member) {
	if r.signal.Kind == sources.Gauge && !m.gone {
		r.addGauges(m)
	}
	if r.signal.Kind == sources.Gauge {
		return // and a target that is gone has no present
	}
	for _, s := range m.spans {
		if metric, exposed := r.metricOf(s); exposed {
			r.metrics[metric] = true
			r.addIncreases(m.Name, metric, s)
		}
	}
}

// metricOf a process: the first one of the signal that it has exposed so far.
func (r *result) metricOf(s span) (string, bool) {
	for _, metric := range r.signal.Metrics {
		if since, exposed := s.process.families[metric]; exposed && since <= s.process.offset+s.to {
			return metric, true
		}
	}
	return "", false
}

// at returns the series for the values of the labels.
func (r *result) at(instance string, values []string) *sources.Series {
	if !r.signal.PerInstance {
		instance = ""
	}
	key := instance + "\xff" + strings.Join(values, "\xff")
	if r.series[key] == nil {
		r.series[key] = &sources.Series{Values: values, Instance: instance}
	}
	return r.series[key]
}

// each series of a process that the signal reads, with the values of its labels.
func (r *result) each(metric string, s span, visit func(values []string, series *series)) {
	for _, series := range s.process.ordered {
		if series.family != metric || !matches(r.signal.Match, series.labels) {
			continue
		}
		values := make([]string, len(r.signal.Labels))
		for i, name := range r.signal.Labels {
			values[i] = labelValue(series.labels, name)
		}
		visit(values, series)
	}
}

func (r *result) addIncreases(instance, metric string, s span) {
	r.each(metric, s, func(values []string, series *series) {
		steps := series.during(s)
		if !slices.ContainsFunc(steps, func(v value) bool { return v.state == known }) {
			return
		}
		to := r.at(instance, values)
		if r.signal.Kind == sources.Counter {
			to.Increase += counterIncrease(steps)
			return
		}
		if increase := histogramIncrease(steps); to.Histogram == nil {
			to.Histogram = increase
		} else {
			to.Histogram = to.Histogram.Add(increase)
		}
	})
}

// addGauges adds the last and the highest value of each gauge. One that the
// newest answer does not have is left out, for it is not zero. Gauges that share
// the values of the labels are added, and so are their highest values, although
// they need not have stood at one time.
func (r *result) addGauges(m member) {
	newest := m.spans[len(m.spans)-1]
	metric, exposed := r.metricOf(newest)
	if !exposed {
		return
	}
	r.metrics[metric] = true
	highest := map[string]float64{} // by series, over all processes of the member
	for _, s := range m.spans {
		r.each(metric, s, func(_ []string, series *series) {
			if v, known := series.highest(r.window, s); known {
				if before, known := highest[series.key]; known {
					v = higher(before, v)
				}
				highest[series.key] = v
			}
		})
	}
	r.each(metric, newest, func(values []string, series *series) {
		if last := series.value(newest.process.offset + newest.to); last.state == known {
			to := r.at(m.Name, values)
			to.Last += last.number
			to.Max += highest[series.key]
		}
	})
}

// highest value in the scrapes of a span that lie within the window, or in the
// last one where none does.
func (s *series) highest(w window, of span) (v float64, found bool) {
	since := min(lastNotAfter(of.process.times, w.start())+1, of.to)
	for scrape := of.process.offset + since; scrape <= of.process.offset+of.to; scrape++ {
		if at := s.value(scrape); at.state == known && !found {
			v, found = at.number, true
		} else if at.state == known {
			v = higher(v, at.number)
		}
	}
	return v, found
}

// higher of two values, NaN being lower than any.
func higher(a, b float64) float64 {
	if b > a || math.IsNaN(a) {
		return b
	}
	return a
}
