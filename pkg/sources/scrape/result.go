// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"fmt"
	"maps"
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
	ordered []*sources.Series // the same, in the order in which they were met: nearly sorted
	shared  *shared
}

// shared by all results of a reading.
type shared struct {
	reader histogramReader
	// byFamily are the series of processes that have many: there are dozens of signals.
	byFamily map[*process]map[string][]*series
}

// seriesOf a process, at least all those of a family, in their order.
func (s *shared) seriesOf(p *process, metric string) []*series {
	const many = 100
	if len(p.series) < many {
		return p.series
	}
	if s.byFamily[p] == nil {
		s.byFamily[p] = seriesByFamily(p.series)
	}
	return s.byFamily[p][metric]
}

func seriesByFamily(all []*series) map[string][]*series {
	byFamily := map[string][]*series{}
	for len(all) > 0 {
		f, end := all[0].id.family, 1
		for end < len(all) && all[end].id.family == f {
			end++
		}
		if byFamily[f.name] == nil {
			byFamily[f.name] = all[:end:end] // nearly always all of them: no copy
		} else {
			byFamily[f.name] = append(byFamily[f.name], all[:end]...)
		}
		all = all[end:]
	}
	return byFamily
}

// resultOf a signal over the members of its component.
func resultOf(signal sources.Signal, w window, members []member, shared *shared) sources.Result {
	r := result{signal: signal, window: w, metrics: map[string]bool{}, series: map[string]*sources.Series{}, shared: shared}
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
	out := sources.Result{Metrics: slices.Sorted(maps.Keys(r.metrics)), Missing: r.missing(members)}
	if len(out.Metrics) > 0 {
		preferred := slices.DeleteFunc(slices.Clone(signal.Metrics), func(metric string) bool { return !r.metrics[metric] })
		out.Expressions = sources.Canonical{Signal: signal, Metrics: preferred, Window: w.length}
	}
	for _, s := range r.ordered {
		out.Series = append(out.Series, *s)
	}
	slices.SortFunc(out.Series, func(a, b sources.Series) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), slices.Compare(a.Values, b.Values))
	})
	for _, text := range slices.Sorted(maps.Keys(warned)) {
		out.Warnings = append(out.Warnings, sources.Warning{
			Reason: sources.SeriesInvalid, Component: signal.Component, Instances: warned[text],
			Message: fmt.Sprintf("%s (%s)", text, some(warned[text])),
		})
	}
	return out
}

// missing names the observed members whose newest answer does not have the signal: the
// process has not exposed it, or what it had is no longer there.
func (r *result) missing(members []member) []string {
	var names []string
	for _, m := range members {
		if m.gone || !m.Observed || !r.signal.Everywhere {
			continue
		}
		newest := m.spans[len(m.spans)-1]
		metric, exposed := r.metricOf(newest)
		if !exposed || newest.process.families[metric].newest < newest.process.offset+newest.to {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
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
		if f, exposed := s.process.families[metric]; exposed && f.first <= s.process.offset+s.to {
			return metric, true
		}
	}
	return "", false
}

// at returns the series for the values of the labels.
func (r *result) at(instance string, v *view) *sources.Series {
	key := v.key
	if r.signal.PerInstance {
		key = instance + "\xff" + key
	} else {
		instance = ""
	}
	series := r.series[key]
	if series == nil {
		series = &sources.Series{Values: v.values, Instance: instance}
		r.series[key] = series
		r.ordered = append(r.ordered, series)
	}
	return series
}

// keyOf the values of labels. 0xff is in no valid UTF-8 text.
func keyOf(values []string) string { return strings.Join(values, "\xff") }

// each series of a process that the signal reads, with the values of its labels.
func (r *result) each(metric string, s span, visit func(v *view, series *series)) {
	for _, series := range r.shared.seriesOf(s.process, metric) {
		if series.id.family.name != metric {
			continue
		}
		for i := range series.id.views {
			if v := &series.id.views[i]; v.signal == r.signal.Name {
				visit(v, series)
			}
		}
	}
}

func (r *result) addIncreases(instance, metric string, s span) {
	r.each(metric, s, func(v *view, series *series) {
		if r.signal.Kind == sources.Histogram {
			begin := 0
			if s.from != birth {
				begin = s.process.offset + s.from
			}
			if increase := r.shared.reader.increase(series.histogram, begin, s.process.offset+s.to, s.from == birth); increase != nil {
				to := r.at(instance, v)
				to.Histogram = addBuckets(to.Histogram, increase)
			}
			return
		}
		steps := series.during(s)
		if slices.ContainsFunc(steps, func(v value) bool { return v.state == known }) {
			r.at(instance, v).Increase += counterIncrease(steps)
		}
	})
}
