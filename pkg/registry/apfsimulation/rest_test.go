// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfsimulation

import (
	"context"
	"errors"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// fake answers what it is told to.
type fake struct {
	problems field.ErrorList
	err      error
}

func (f fake) Simulate(context.Context, *slo.APFSimulationSpec) (*slo.APFSimulationStatus, field.ErrorList, error) {
	if f.err != nil || len(f.problems) > 0 {
		return nil, f.problems, f.err
	}
	return &slo.APFSimulationStatus{Simulated: true}, nil, nil
}

func TestCreate(t *testing.T) {
	shares := int32(7)
	asked := &slo.APFSimulation{Spec: slo.APFSimulationSpec{Levels: []slo.SimulatedLevel{{Name: "system", NominalConcurrencyShares: &shares}}}}
	refuse := func(context.Context, runtime.Object) error {
		return apierrors.NewForbidden(slo.Resource("apfsimulations"), "", errors.New("by admission"))
	}
	for name, c := range map[string]struct {
		fake     fake
		obj      runtime.Object
		validate func(context.Context, runtime.Object) error
		want     int32 // 0: an answer
	}{
		"answered":     {},
		"invalid":      {fake: fake{problems: field.ErrorList{field.Required(field.NewPath("spec"), "")}}, want: http.StatusUnprocessableEntity},
		"no answer":    {fake: fake{err: errors.New("not read yet")}, want: http.StatusServiceUnavailable},
		"too slow":     {fake: fake{err: context.DeadlineExceeded}, want: http.StatusGatewayTimeout},
		"another kind": {obj: &slo.SLOReport{}, want: http.StatusBadRequest},
		"not admitted": {validate: refuse, want: http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewREST(c.fake)
			if err != nil {
				t.Fatal(err)
			}
			obj := c.obj
			if obj == nil {
				obj = asked
			}
			got, err := r.Create(t.Context(), obj, c.validate, nil)
			if c.want != 0 {
				var status apierrors.APIStatus
				if !errors.As(err, &status) || status.Status().Code != c.want {
					t.Fatalf("error %v, want code %d", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			answer := got.(*slo.APFSimulation)
			if !answer.Status.Simulated || *answer.Spec.Levels[0].NominalConcurrencyShares != 7 {
				t.Errorf("answer is %+v", answer)
			}
			if asked.Status.Simulated {
				t.Error("what was asked has been changed")
			}
		})
	}
	if _, err := NewREST(nil); err == nil {
		t.Error("a REST without a simulator")
	}
}
