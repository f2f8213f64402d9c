// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"slices"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// TestEvidenceSignals wants a signal where the expressions do not tell all about its
// metric: there is none, another one or several, or no figure is of it.
func TestEvidenceSignals(t *testing.T) {
	nominal := declared(nominalLimit).Metrics
	for name, test := range map[string]struct {
		metrics     []string
		expressions bool
		reason      v1alpha1.MetricReason // "": the signal is left out
	}{
		"preferred":            {nominal[:1], true, ""},
		"no expressions":       {nominal[:1], false, v1alpha1.MetricPreferred},
		"fallback":             {nominal[1:2], true, v1alpha1.MetricFallback},
		"several versions":     {nominal, true, v1alpha1.MetricMixedVersions},
		"not there":            {nil, false, v1alpha1.MetricNone},
		"not there any longer": {nil, true, v1alpha1.MetricNone},
	} {
		reading := &sources.Reading{
			At: testAt, Window: testWindow, Rule: sources.Exact, Results: map[string]sources.Result{},
			Instances: []sources.Instance{{Component: sources.KubeAPIServer, Name: "a", Observed: true, First: testAt.Add(-testWindow), Last: testAt}},
		}
		result := sources.Result{Metrics: test.metrics}
		if test.expressions {
			result.Expressions = sources.Canonical{Signal: declared(nominalLimit).Signal, Metrics: test.metrics, Window: testWindow}
		}
		reading.Results[nominalLimit] = result
		lower := declared(lowerLimit).Signal // of which there is no figure
		reading.Results[lowerLimit] = sources.Result{
			Metrics: lower.Metrics, Expressions: sources.Canonical{Signal: lower, Metrics: lower.Metrics, Window: testWindow},
		}
		row := v1alpha1.InstanceSeats{Instance: "a"}
		if test.metrics != nil {
			row.NominalSeats = new(int64(5))
		}
		e := evidenceOf(reading, `a"b`, &v1alpha1.APFHeadroomStatus{ByInstance: []v1alpha1.InstanceSeats{row}})
		if e == nil {
			t.Fatalf("%s: no evidence", name)
		}
		reasons := map[string]v1alpha1.MetricReason{}
		for _, s := range e.Signals {
			reasons[s.Name] = s.Reason
		}
		if reasons[nominalLimit] != test.reason || reasons[lowerLimit] != v1alpha1.MetricPreferred {
			t.Errorf("%s: %q, want %q; of no figure: %q", name, reasons[nominalLimit], test.reason, reasons[lowerLimit])
		}
		figured := slices.ContainsFunc(e.Figures, func(f v1alpha1.FigureEvidence) bool {
			return f.Figure == "byInstance.nominalSeats" && strings.Contains(f.Expression, `{priority_level="a\"b"}`)
		})
		if want := test.expressions && test.metrics != nil; figured != want {
			t.Errorf("%s: an expression: %t, want %t; %+v", name, figured, want, e.Figures)
		}
	}
}
