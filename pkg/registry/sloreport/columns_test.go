// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sloreport

import (
	"testing"

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
