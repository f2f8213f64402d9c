// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"slices"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

// testFindings reads what is right, and has to be told of all the same.
func testFindings(t *testing.T, b backend) {
	for name, want := range map[string]sources.Reason{
		"bounds-differ": sources.BucketsDiffer,
		"two-versions":  sources.VersionsMixed,
		"steady":        "",
	} {
		scenario := scenarioNamed(t, name)
		reading, err := open(t, b, scenario).Read(t.Context(), scenario.At, scenario.Window)
		if err != nil {
			t.Fatal(err)
		}
		var got []sources.Reason
		for _, result := range reading.Results {
			for _, w := range result.Warnings {
				got = append(got, w.Reason)
			}
		}
		if want == "" && len(got) > 0 || want != "" && !slices.Contains(got, want) {
			t.Errorf("%s: got findings %q, want %q", name, got, want)
		}
	}
}
