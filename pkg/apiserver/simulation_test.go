// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apf/simulation"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// Signals of one name are read once: they have to be declared alike.
func TestSignalsOfOneNameAreAlike(t *testing.T) {
	declared := map[string]sources.Signal{}
	for _, list := range [][]sources.Signal{slo.Signals(), apf.Signals(), simulation.Signals()} {
		for _, signal := range list {
			first, again := declared[signal.Name]
			if !again {
				declared[signal.Name] = signal
				continue
			}
			if diff := cmp.Diff(first, signal); diff != "" {
				t.Errorf("%s is declared twice:\n%s", signal.Name, diff)
			}
		}
	}
	all := distinct(append(apf.Signals(), simulation.Signals()...))
	names := map[string]int{}
	for _, signal := range all {
		if names[signal.Name]++; names[signal.Name] > 1 {
			t.Errorf("%s is read twice", signal.Name)
		}
	}
	for _, signal := range simulation.Signals() {
		if names[signal.Name] != 1 {
			t.Errorf("%s is not read", signal.Name)
		}
	}
}
