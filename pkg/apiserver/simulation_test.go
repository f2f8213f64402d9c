// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"slices"
	"testing"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/slo"
)

// Everything is read once: no name stands in two catalogs, or twice in one. What
// simulations look at is declared with the rest of apf.
func TestSignalsAreDeclaredOnce(t *testing.T) {
	names := map[string]int{}
	for _, signal := range slices.Concat(slo.Signals(), apf.Signals()) {
		if names[signal.Name]++; names[signal.Name] > 1 {
			t.Errorf("%s is declared twice", signal.Name)
		}
	}
	for _, name := range []string{apf.NominalLimit, apf.RejectedRequests} {
		if names[name] != 1 {
			t.Errorf("%s is not read", name)
		}
	}
}
