// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package equality

import (
	"testing"
)

// The bounds of the issue: what floating point leaves of equal figures.
const (
	mostQuantiles = 1e-12
	mostFractions = 1e-14
)

func TestEquality(t *testing.T) {
	for _, scenario := range Scenarios(16, 1) {
		t.Run(scenario.Name, func(t *testing.T) {
			t.Parallel()
			result, err := Compare(t.Context(), scenario)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", result)
			if result.Windows == 0 || result.Figures < 16*result.Windows {
				t.Errorf("%d figures in %d windows were compared", result.Figures, result.Windows)
			}
			for name, d := range map[string]Differences{"the engine": result.Engine, "the truth": result.Truth} {
				if d.Counts != 0 || d.Quantiles > mostQuantiles || d.Fractions > mostFractions {
					t.Errorf("against %s: %+v", name, d)
				}
			}
			// The comparison can fail: extrapolation is off, and seen to be.
			if result.Plain.Counts < 1e-3 {
				t.Errorf("plain increase() is said to be off by %v only", result.Plain.Counts)
			}
			if scenario.Births > 0 && result.Lost == 0 {
				t.Error("plain increase() is said to know all births")
			}
		})
	}
}
