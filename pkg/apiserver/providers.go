// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// provider serves one kind out of the shared evaluation. The registry does not
// know that there is an evaluation, nor the evaluation that there is a registry.
type provider[T any] struct {
	evaluator *evaluation.Evaluator
	items     func(*evaluation.Evaluation) ([]T, error)
}

var _ computed.Provider[struct{}] = provider[struct{}]{}

// Latest implements computed.Provider.
func (p provider[T]) Latest(ctx context.Context) (*computed.Snapshot[T], error) {
	return p.snapshot(p.evaluator.Latest(ctx))
}

// Next implements computed.Provider.
func (p provider[T]) Next(ctx context.Context, after uint64) (*computed.Snapshot[T], error) {
	return p.snapshot(p.evaluator.Next(ctx, after))
}

func (p provider[T]) snapshot(latest *evaluation.Evaluation, err error) (*computed.Snapshot[T], error) {
	if err != nil {
		return nil, err
	}
	items, err := p.items(latest)
	if err != nil {
		return nil, err
	}
	return &computed.Snapshot[T]{ResourceVersion: latest.ResourceVersion, Items: items}, nil
}

func reports(e *evaluation.Evaluation) ([]v1alpha1.SLOReport, error) {
	return e.Reports, nil
}

func indicators(e *evaluation.Evaluation) ([]v1alpha1.ServiceLevelIndicator, error) {
	return e.Indicators()
}

func headrooms(e *evaluation.Evaluation) ([]v1alpha1.APFHeadroom, error) {
	return e.Headrooms, e.HeadroomsProblem
}
