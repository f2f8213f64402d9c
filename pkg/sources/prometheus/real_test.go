// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// TestReal tries the source on one real Prometheus, which holds the samples of all
// subtests. The label "scenario" keeps them apart.
func TestReal(t *testing.T) {
	var samples []prometheustest.Sample
	for _, scenario := range conformance.Scenarios(t) {
		samples = append(samples, scraped(scenario, "")...)
	}
	samples = append(samples, troubleSamples(t)...)
	samples = append(samples, quantileSamples()...)
	samples = append(samples, sharedSamples()...)
	url := prometheustest.Start(t, samples)

	t.Run("conformance", func(t *testing.T) {
		conformance.Run(t, func(t *testing.T, scenario conformance.Scenario) sources.Source {
			t.Helper()
			return open(t, url, scenario)
		})
	})
	t.Run("trouble", func(t *testing.T) { testTrouble(t, url) })
	t.Run("quantiles", func(t *testing.T) { testQuantiles(t, url) })
	t.Run("clusters", func(t *testing.T) { testClusters(t, url) })
	t.Run("queries", func(t *testing.T) { testQueries(t, url) })
	t.Run("concurrent", func(t *testing.T) { testConcurrent(t, url) })
}

func open(t *testing.T, url string, scenario conformance.Scenario) *prometheus.Source {
	t.Helper()
	return openWith(t, prometheus.ClientConfig{URL: url}, scenario)
}

func openWith(t *testing.T, config prometheus.ClientConfig, scenario conformance.Scenario) *prometheus.Source {
	t.Helper()
	client, err := prometheus.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	source, err := prometheus.New(prometheus.Config{
		Client:  client,
		Signals: scenario.Signals,
		Match:   map[string]string{"scenario": scenario.Name},
		Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// scraped is what Prometheus has of a scenario: the samples of each scrape with the
// labels of its target, up, and an end of each series that the scrape before had. apiserverJob replaces the job of kube-apiservers.
func scraped(scenario conformance.Scenario, apiserverJob string) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for _, instance := range scenario.Instances {
		labels := []string{`scenario="` + scenario.Name + `"`}
		switch {
		case instance.Stranger:
			labels = append(labels, `job="slo-apiserver"`, `instance="`+instance.Name+`"`)
		case instance.Component == sources.Kubelet:
			labels = append(labels, `job="kubelet"`, `metrics_path="/metrics"`, `node="`+instance.Name+`"`, `instance="192.0.2.`+instance.Name+`:10250"`)
		default: // a label node must not name a kube-apiserver, whose name is its address
			labels = append(labels, `node="control-plane"`, `job="`+cmp.Or(apiserverJob, "apiserver")+`"`, `instance="`+instance.Name+`"`)
		}
		had := map[string]bool{}
		for _, scrape := range instance.Scrapes {
			up := 1.0
			if scrape.Failed {
				up = 0
			}
			samples = append(samples, prometheustest.Sample{Series: with("up", labels...), At: scrape.Time, Value: up})
			has := map[string]bool{}
			for _, sample := range scrape.Samples {
				has[sample.Series] = true
				samples = append(samples, prometheustest.Sample{Series: with(sample.Series, labels...), At: scrape.Time, Value: sample.Value})
			}
			for series := range had {
				if !has[series] {
					samples = append(samples, prometheustest.Sample{Series: with(series, labels...), At: scrape.Time, Value: prometheustest.Stale()})
				}
			}
			had = has
		}
	}
	return samples
}

// with adds labels to a series.
func with(series string, labels ...string) string {
	name, own, _ := strings.Cut(series, "{")
	if own = strings.TrimSuffix(own, "}"); own != "" {
		labels = append(slices.Clip(labels), own)
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}
