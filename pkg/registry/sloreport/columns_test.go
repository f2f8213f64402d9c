// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sloreport

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// A ratio has no latency, and what is for information nothing to hold it against.
func TestThreshold(t *testing.T) {
	for want, spec := range map[string]slo.SLOReportSpec{
		"1s":     {Indicator: slo.Indicator{Type: slo.IndicatorLatency}, ThresholdMilliseconds: 1000},
		"99.95%": {Indicator: slo.Indicator{Type: slo.IndicatorRatio}, GoodRatio: "0.9995"},
		"-":      {Indicator: slo.Indicator{Type: slo.IndicatorLatency}},
	} {
		if got := threshold(&slo.SLOReport{Spec: spec}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What makes a verdict unknown comes before the worst key, whose figures it may be about.
func TestWorst(t *testing.T) {
	pods := []slo.KeyFigures{{Resource: "pods", Verb: "PATCH"}}
	for want, status := range map[string]struct {
		verdict slo.Verdict
		reason  string
		worst   []slo.KeyFigures
	}{
		"pods PATCH":              {slo.VerdictMet, "AllKeysHold", pods},
		"(own server) pods PATCH": {slo.VerdictUnknown, "OwnServer", pods},
		"(own server)":            {slo.VerdictUnknown, "OwnServer", []slo.KeyFigures{{}}},
		"(no traffic)":            {slo.VerdictNoTraffic, "NoTraffic", nil},
		"-":                       {slo.VerdictMet, "AllKeysHold", []slo.KeyFigures{{}}},
	} {
		r := &slo.SLOReport{Status: slo.SLOReportStatus{Verdict: status.verdict, Worst: status.worst,
			Conditions: []metav1.Condition{{Type: slo.ConditionMet, Reason: status.reason}}}}
		if got := worst(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
