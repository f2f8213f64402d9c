// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// longestExpression in bytes, and longest query: those of thousands of resources of which
// some count and some do not, or of thousands of instances, are left out, rather than shown
// in part.
const longestExpression = 16 << 10

// Part of the evidence of an object: what some of its figures were made from.
type Part struct {
	Signals []v1alpha1.SignalEvidence
	Figures []v1alpha1.FigureEvidence
}

// Figure that the expression gives; "" or one that is too long adds none.
func (p *Part) Figure(figure, expression string) {
	if expression != "" && len(expression) <= longestExpression {
		p.Figures = append(p.Figures, v1alpha1.FigureEvidence{Figure: figure, Expression: expression})
	}
}

// Signal that the figures so far were read from. It is left out where one of them names
// its metric, and there is nothing else to say.
func (p *Part) Signal(signal sources.Signal, result sources.Result, series int) {
	// Native histograms have the name of the metric, and classic ones are read by bucket.
	named := slices.ContainsFunc(p.Figures, func(f v1alpha1.FigureEvidence) bool {
		return strings.Contains(f.Expression, signal.Metrics[0]+"{") || strings.Contains(f.Expression, signal.Metrics[0]+"_bucket{")
	})
	if !named || !slices.Equal(result.Metrics, signal.Metrics[:1]) {
		p.Signals = append(p.Signals, Signal(signal, result, series))
	}
}

// Join another part.
func (p *Part) Join(other Part) {
	p.Signals = slices.Concat(p.Signals, other.Signals)
	p.Figures = slices.Concat(p.Figures, other.Figures)
}

// Whole is an expression for positive numbers, rounded as they are served: none to zero.
func Whole(positive string) string { return "clamp_min(round(" + positive + "), 1)" }
