// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// After the troubles above everything returns to Met and Ok by itself.
func TestRecovery(t *testing.T) {
	lab.load(t, "mixed")
	for _, client := range clients() {
		wantVerdict(t, client, mutating, 3*window, v1alpha1.VerdictMet)
	}
	settled(t)
}

// An account whose flow schema leads to catch-all, which has no queues.
func TestCatchAll(t *testing.T) {
	stop := lab.load(t, "catchall", "--parallel=20")
	wantClassified(t, "catchall", "lab-catchall", "catch-all")
	for name, client := range clients() {
		t.Log(name)
		rejecting := wantPressure(t, client, "catch-all", 2*window, v1alpha1.PressureRejecting)
		wantPlace(t, rejecting)
		for _, by := range rejecting.Status.Requests.RejectedBy {
			if by.FlowSchema != "lab-catchall" || by.Reason != "concurrency-limit" {
				t.Errorf("rejected by %+v, want lab-catchall for concurrency-limit", by)
			}
		}
	}
	exact(t, lab.recorded)
	stop()
}
