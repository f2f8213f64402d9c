// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apfsimulation serves the review APFSimulation: it can only be created, the
// answer is what was created with its status filled in, and nothing is stored. A dry
// run of it is the same.
package apfsimulation

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Simulator answers simulations.
type Simulator interface {
	// Simulate answers a change, or says what is wrong with it. An error has nothing
	// to do with the change: that no answer can be had now.
	Simulate(ctx context.Context, spec *slo.APFSimulationSpec) (*slo.APFSimulationStatus, field.ErrorList, error)
}

// REST serves APFSimulations.
type REST struct{ simulator Simulator }

// NewREST returns a REST, or an error when there is no simulator.
func NewREST(simulator Simulator) (*REST, error) {
	if simulator == nil {
		return nil, errors.New("simulations need a simulator")
	}
	return &REST{simulator}, nil
}

// New implements rest.Storage.
func (r *REST) New() runtime.Object { return &slo.APFSimulation{} }

// Destroy implements rest.Storage. There is nothing to release.
func (r *REST) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (r *REST) NamespaceScoped() bool { return false }

// GetSingularName implements rest.SingularNameProvider.
func (r *REST) GetSingularName() string { return "apfsimulation" }

// Create implements rest.Creater.
func (r *REST) Create(ctx context.Context, obj runtime.Object, validate rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	simulation, ok := obj.(*slo.APFSimulation)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%T is no APFSimulation", obj))
	}
	if validate != nil {
		if err := validate(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	status, problems, err := r.simulator.Simulate(ctx, &simulation.Spec)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, apierrors.NewTimeoutError(fmt.Sprintf("simulate: %v", err), 1)
	case err != nil:
		return nil, apierrors.NewServiceUnavailable(fmt.Sprintf("simulate: %v", err))
	case len(problems) > 0:
		return nil, apierrors.NewInvalid(slo.SchemeGroupVersion.WithKind("APFSimulation").GroupKind(), simulation.Name, problems)
	}
	answer := simulation.DeepCopy()
	answer.Status = *status
	return answer, nil
}

// The interfaces by which k8s.io/apiserver finds out what a resource can do.
type served interface {
	rest.Storage
	rest.Scoper
	rest.SingularNameProvider
	rest.Creater
}

var _ served = &REST{}
