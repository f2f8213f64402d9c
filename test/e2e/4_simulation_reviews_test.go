// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// TestSimulationRefusesWhatTheClusterRefuses: a kube-apiserver and the simulation
// agree on what is valid.
func TestSimulationRefusesWhatTheClusterRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*flowcontrolv1.PriorityLevelConfiguration){
		"valid": func(*flowcontrolv1.PriorityLevelConfiguration) {},
		"negative shares": func(l *flowcontrolv1.PriorityLevelConfiguration) {
			l.Spec.Limited.NominalConcurrencyShares = new(int32(-1))
		},
		"lends 101 percent": func(l *flowcontrolv1.PriorityLevelConfiguration) { l.Spec.Limited.LendablePercent = new(int32(101)) },
		"borrows negatively": func(l *flowcontrolv1.PriorityLevelConfiguration) {
			l.Spec.Limited.BorrowingLimitPercent = new(int32(-1))
		},
		"a hand too large": func(l *flowcontrolv1.PriorityLevelConfiguration) { l.Spec.Limited.LimitResponse.Queuing.HandSize = 17 },
		"60 bits": func(l *flowcontrolv1.PriorityLevelConfiguration) {
			l.Spec.Limited.LimitResponse.Queuing.Queues, l.Spec.Limited.LimitResponse.Queuing.HandSize = 1024, 6
		},
		"66 bits": func(l *flowcontrolv1.PriorityLevelConfiguration) {
			l.Spec.Limited.LimitResponse.Queuing.Queues, l.Spec.Limited.LimitResponse.Queuing.HandSize = 2048, 6
		},
		"too many queues": func(l *flowcontrolv1.PriorityLevelConfiguration) {
			l.Spec.Limited.LimitResponse.Queuing.Queues, l.Spec.Limited.LimitResponse.Queuing.HandSize = 10_000_001, 1
		},
		"queues of no length": func(l *flowcontrolv1.PriorityLevelConfiguration) {
			l.Spec.Limited.LimitResponse.Queuing.QueueLengthLimit = -1
		},
		"a bad name": func(l *flowcontrolv1.PriorityLevelConfiguration) { l.Name = "Noisy" },
	} {
		t.Run(name, func(t *testing.T) {
			level := noisy()
			level.Name = "e2e-refused" // the other one may not be forgotten yet
			spoil(level)
			_, simulated := ask(t, lab.slo, v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{proposed(level)}})
			_, applied := lab.admin.FlowcontrolV1().PriorityLevelConfigurations().Create(t.Context(), level, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if apierrors.IsInvalid(simulated) != apierrors.IsInvalid(applied) || (simulated == nil) != (applied == nil) {
				t.Errorf("simulation: %v; kube-apiserver: %v", simulated, applied)
			}
		})
	}
}

// What is created with kubectl is the answer.
func TestSimulationKubectl(t *testing.T) {
	file := filepath.Join(t.TempDir(), "simulation.yaml")
	write := func(level string) {
		text := "apiVersion: slo.example.io/v1alpha1\nkind: APFSimulation\nspec:\n  levels:\n  - name: " + level + "\n    nominalConcurrencyShares: 50\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for version, binary := range kubectls(t) {
		write("system")
		for _, args := range [][]string{{"-o", "yaml"}, {"-o", "yaml", "--dry-run=server"}} {
			out, stderr, err := kubectl(t, binary, append([]string{"create", "-f", file}, args...)...)
			for _, want := range []string{"simulated: true", "peakFit: ", "type: ArithmeticConfirmed", "gainedSeats: "} {
				if err != nil || !strings.Contains(out, want) {
					t.Errorf("%s: no %q: %v\n%s%s", version, want, err, out, stderr)
				}
			}
		}
		write("absent")
		if _, stderr, err := kubectl(t, binary, "create", "-f", file); err == nil || !strings.Contains(stderr, `spec.levels[0].name: Not found: "absent"`) {
			t.Errorf("%s: a level that is not there: %v, %s", version, err, stderr)
		}
		for _, field := range []string{"apfsimulation.spec.levels.demandFrom", "apfsimulation.status.byInstance.levels.after"} {
			if out, stderr, err := kubectl(t, binary, "explain", field); err != nil || !strings.Contains(out, "FIELDS:") {
				t.Errorf("%s: explain %s: %v\n%s%s", version, field, err, out, stderr)
			}
		}
	}
}

func TestSimulationNeedsItsRight(t *testing.T) {
	if _, err := ask(t, as(t, "nobody"), v1alpha1.APFSimulationSpec{}); !apierrors.IsForbidden(err) {
		t.Errorf("without rights: %v, want 403", err)
	}
}
