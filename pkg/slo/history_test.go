// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
)

func TestHistory(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	const whole = "objectives:\n- {name: availability, description: d, signal: api-requests, goodRatio: '0.999', "
	objectives = append(objectives,
		defined(t, "availability", whole+"bad: {code: [5xx]}}\n"),
		defined(t, "availability", whole+"good: {code: [2xx]}, key: [group, resource, subresource], verbs: [PUT], scope: resource}\n"))
	slices.Reverse(objectives)
	identity := []string{sources.SignalBuildInfo, sources.SignalRequestGroups, sources.SignalOwnFamily}
	for _, want := range []sources.History{
		{Signal: SignalRequestLatency, Bounds: []float64{1, 30}, Beside: append([]string{SignalDryRuns}, identity...)},
		{Signal: SignalPodStartLatency, Bounds: []float64{5}, Beside: []string{SignalObjects, SignalKubeletBuildInfo}},
		{Signal: "api-requests", Labels: []string{"code", "group", "resource", "scope", "subresource", "verb"}, Beside: identity},
		{Signal: "nobody"},
	} {
		if diff := cmp.Diff(want, History(objectives, want.Signal)); diff != "" {
			t.Errorf("%s: %s", want.Signal, diff)
		}
	}
}
