// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// TestRealNativeEvidence pastes every expression for what was read from native
// histograms, as TestRealEvidence does for classic ones.
func TestRealNativeEvidence(t *testing.T) {
	t.Parallel()
	layouts := map[string]func(*pastProcess){
		"exponential": func(p *pastProcess) { p.native = exponential },
		"custom":      func(p *pastProcess) { p.native = custom },
		"between":     func(p *pastProcess) { p.native = between },
	}
	var samples []prometheustest.Sample
	for scenario, change := range layouts {
		samples = append(samples, pastSamplesOf(scenario, 1, change)...)
	}
	address := prometheustest.Prometheus3.Start(t, samples)
	definitions := evidenceDefinitions(t)
	for scenario := range layouts {
		t.Run(scenario, func(t *testing.T) {
			client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
			if err != nil {
				t.Fatal(err)
			}
			source, err := prometheus.New(prometheus.Config{
				Client: client, Signals: definitions.Signals, Timeout: time.Minute, Match: map[string]string{"scenario": scenario},
			})
			if err != nil {
				t.Fatal(err)
			}
			evaluate, pasted := evidenceEvaluation(definitions.Objectives), map[string]int{}
			for m := 6.0; m < pastMinutes; m += 2.87 {
				reading, err := source.Read(t.Context(), pastMinute(m), slo.DefaultWindow)
				if err != nil {
					t.Fatal(err)
				}
				reports, indicators, _ := evaluate(reading)
				pasteReports(t, address, reports, indicators, pasted)
				pasted["births"] += len(queriesOf(reading, sources.RoleBornBuckets))
			}
			t.Logf("expressions that were pasted: %v", pasted)
			for _, figure := range []string{"requests", "slowRequests", "indicators.requests", "indicators.slowRequests", "indicators.p99Milliseconds", "births"} {
				if pasted[figure] == 0 {
					t.Errorf("%s was never pasted", figure)
				}
			}
		})
	}
}

func queriesOf(reading *sources.Reading, role sources.Role) []sources.Query {
	var all []sources.Query
	for _, result := range reading.Results {
		for _, q := range result.Queries {
			if q.Role == role {
				all = append(all, q)
			}
		}
	}
	return all
}
