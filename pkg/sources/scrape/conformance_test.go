// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"net/http"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
)

// TestConformance feeds the scenarios that every source has to pass through real
// HTTPS scrapes, dated by the scenario. Strangers are not met: this source
// chooses its own targets.
func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T, scenario conformance.Scenario) sources.Source {
		cluster := newCluster(t)
		config := cluster.config(scenario.Signals)
		config.Interval = scenario.Step
		config.History = scenario.Window + 10*scenario.Step
		source := mustNew(t, config)
		steps := map[int64]bool{}
		for _, instance := range scenario.Instances {
			for _, scrape := range instance.Scrapes {
				steps[scrape.Time.UnixNano()] = true
			}
		}
		for at := scenario.At.Add(-100 * scenario.Step); !at.After(scenario.At); at = at.Add(scenario.Step) {
			if !steps[at.UnixNano()] {
				continue
			}
			for _, instance := range scenario.Instances {
				for _, scrape := range instance.Scrapes {
					if instance.Stranger || !scrape.Time.Equal(at) {
						continue
					}
					page := cluster.page(instance.Component, instance.Name)
					page.set(scrape.Body())
					if scrape.Failed {
						page.fail(http.StatusServiceUnavailable)
					}
				}
			}
			source.Collect(quiet(), at)
		}
		return source
	})
}
