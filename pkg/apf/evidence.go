// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// evidenceOf a level: nil when nothing was read.
func evidenceOf(reading *sources.Reading, level string, status *v1alpha1.APFHeadroomStatus) *v1alpha1.Evidence {
	e := evidence.Of(reading, sources.KubeAPIServer, aboutAPF(reading))
	if e == nil {
		return nil
	}
	part := figures(reading, level, status.ByInstance)
	for _, row := range catalog {
		result := reading.Results[row.Name]
		series := 0
		for _, s := range result.Series {
			if len(s.Values) > 0 && s.Values[0] == level {
				series++
			}
		}
		part.Signal(row.Signal, result, series)
	}
	e.Signals, e.Figures = part.Signals, part.Figures
	return e
}

// aboutAPF are the warnings about the signals of this package, and those of no signal.
func aboutAPF(reading *sources.Reading) []sources.Warning {
	warnings := slices.Clone(reading.Warnings)
	for _, row := range catalog {
		warnings = append(warnings, reading.Results[row.Name].Warnings...)
	}
	return warnings
}

// figures of the level, by instance, where one of them has the figure.
func figures(reading *sources.Reading, level string, rows []v1alpha1.InstanceSeats) (part evidence.Part) {
	for _, f := range []struct {
		figure, signal string
		of             func(*v1alpha1.InstanceSeats) *int64
	}{
		{"nominalSeats", nominalLimit, func(r *v1alpha1.InstanceSeats) *int64 { return r.NominalSeats }},
		{"currentLimitSeats", currentLimit, func(r *v1alpha1.InstanceSeats) *int64 { return r.CurrentLimitSeats }},
		{"executingSeats", executing, func(r *v1alpha1.InstanceSeats) *int64 { return r.ExecutingSeats }},
		{"queuedRequests", queuedRequests, func(r *v1alpha1.InstanceSeats) *int64 { return r.QueuedRequests }},
		{"dispatchedRequests", dispatched, func(r *v1alpha1.InstanceSeats) *int64 { return r.DispatchedRequests }},
		{"rejectedRequests", rejected, func(r *v1alpha1.InstanceSeats) *int64 { return r.RejectedRequests }},
	} {
		if !slices.ContainsFunc(rows, func(r v1alpha1.InstanceSeats) bool { return f.of(&r) != nil }) {
			continue
		}
		promql := expression(reading, f.signal, level)
		if f.signal == currentLimit {
			promql = limitInForce(reading, level, rows)
		}
		part.Figure("byInstance."+f.figure, promql)
	}
	return part
}

// limitInForce is the current limit, or the nominal one of instances before 1.26: see
// row.readSeats. It is "" where one has lost the former, and has the latter: PromQL
// does not tell that from an old one.
func limitInForce(reading *sources.Reading, level string, rows []v1alpha1.InstanceSeats) string {
	current, nominal := expression(reading, currentLimit, level), expression(reading, nominalLimit, level)
	old, lost := false, false
	for _, r := range rows {
		has := slices.ContainsFunc(reading.Results[currentLimit].Series, func(s sources.Series) bool {
			return s.Instance == r.Instance && len(s.Values) > 0 && s.Values[0] == level
		})
		old = old || !has && r.CurrentLimitSeats != nil
		lost = lost || r.CurrentLimitSeats == nil && r.NominalSeats != nil
	}
	switch {
	case !old:
		return current
	case lost:
		return ""
	case current == "" || nominal == "":
		return nominal
	}
	return current + " or on (instance) " + nominal
}

// expression of the figure of each instance; "" without one. Increases are rounded
// before they are added up, as they are served: see count.
func expression(reading *sources.Reading, name, level string) string {
	again, signal := reading.Results[name].Expressions, declared(name).Signal
	if again == nil {
		return ""
	}
	only := sources.Selection{{Label: signal.Labels[0], Values: []string{level}}}
	if signal.Kind == sources.Gauge {
		return again.Newest([]string{"instance"}, only)
	}
	by := slices.Concat([]string{"instance"}, signal.Labels)
	return "sum by (instance) (" + evidence.Whole(again.Increase(by, only)+" > 0") + ")"
}
