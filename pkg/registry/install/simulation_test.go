// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// noChange simulates nothing, and refuses to change any level.
type noChange struct{}

func (noChange) Simulate(_ context.Context, spec *slo.APFSimulationSpec) (*slo.APFSimulationStatus, field.ErrorList, error) {
	if len(spec.Levels) > 0 {
		return nil, field.ErrorList{field.NotFound(field.NewPath("spec", "levels").Index(0).Child("name"), spec.Levels[0].Name)}, nil
	}
	return &slo.APFSimulationStatus{Simulated: true}, nil, nil
}

func TestSimulationsCanOnlyBeCreated(t *testing.T) {
	config := serve(t, &reports{})
	client, err := versioned.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	simulations := client.SloV1alpha1().APFSimulations()
	for name, options := range map[string]metav1.CreateOptions{"create": {}, "dry run": {DryRun: []string{metav1.DryRunAll}}} {
		answer, err := simulations.Create(t.Context(), &slo.APFSimulation{}, options)
		if err != nil || !answer.Status.Simulated {
			t.Errorf("%s: %v, %+v", name, err, answer)
		}
	}
	_, err = simulations.Create(t.Context(), &slo.APFSimulation{Spec: slo.APFSimulationSpec{Levels: []slo.SimulatedLevel{{Name: "absent"}}}}, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), `spec.levels[0].name: Not found: "absent"`) {
		t.Errorf("a level that is not there: %v", err)
	}
	for method, path := range map[string]string{
		http.MethodGet: group + "/apfsimulations", http.MethodDelete: group + "/apfsimulations", http.MethodPut: group + "/apfsimulations/a",
	} {
		if code, body := call(t, config, method, path, "application/json"); code != http.StatusMethodNotAllowed && code != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", method, path, code, body)
		}
	}
	_, body := call(t, config, http.MethodGet, group, "application/json")
	if !strings.Contains(body, `{"name":"apfsimulations","singularName":"apfsimulation","namespaced":false,"kind":"APFSimulation","verbs":["create"]}`) {
		t.Errorf("discovery: %s", body)
	}
}
