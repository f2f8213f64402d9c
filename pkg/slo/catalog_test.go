// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mutatingVerbs as the metrics have them.
func mutatingVerbs() []string { return []string{"APPLY", "DELETE", "PATCH", "POST", "PUT"} }

// Days that were recorded by servers whose objectives were not read from a file are
// those of the same objectives: they go on.
func TestOfficialObjectivesKeepTheirDays(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, o := range objectives {
		got[o.Name] = o.fingerprint()
	}
	want := map[string]uint64{
		"api-latency-mutating":           0xcd49d7718d39fc6a,
		"api-latency-readonly-cluster":   0x672cbde7e15a713d,
		"api-latency-readonly-namespace": 0xcc9046936d6520e8,
		"api-latency-readonly-resource":  0x9c60556da859300f,
		"pod-startup-latency":            0xf39cf3dfcfad980c,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checkpoints would start over (-want +got):\n%s", diff)
	}
}
