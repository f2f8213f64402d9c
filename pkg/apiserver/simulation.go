// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/apf/simulation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/registry/apfsimulation"
)

// simulator answers reviews out of the shared evaluation.
type simulator struct{ evaluator *evaluation.Evaluator }

var _ apfsimulation.Simulator = simulator{}

// Simulate implements apfsimulation.Simulator.
func (s simulator) Simulate(ctx context.Context, spec *v1alpha1.APFSimulationSpec) (*v1alpha1.APFSimulationStatus, field.ErrorList, error) {
	latest, err := s.evaluator.Latest(ctx)
	if err != nil {
		return nil, nil, err
	}
	if latest.HeadroomsProblem != nil {
		return nil, nil, latest.HeadroomsProblem
	}
	status, problems := simulation.Simulate(spec, simulation.Input{
		Now:       s.evaluator.Clock.Now(),
		Headrooms: latest.Headrooms,
		Reading:   latest.Reading,
		Problem:   latest.ReadingProblem,
	})
	return status, problems, nil
}
