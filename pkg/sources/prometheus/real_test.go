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

// backend is a peer that runs, with the samples of a test.
type backend struct {
	prometheustest.Peer
	url string
}

// TestReal tries the source on one real backend of each kind, which holds the samples of
// all subtests. The label "scenario" keeps them apart.
func TestReal(t *testing.T) {
	t.Parallel()
	var samples []prometheustest.Sample
	for _, scenario := range conformance.Scenarios(t) {
		samples = append(samples, scraped(scenario, "")...)
	}
	samples = append(samples, troubleSamples(t)...)
	samples = append(samples, quantileSamples()...)
	samples = append(samples, sharedSamples()...)
	samples = append(samples, replicaSamples()...)
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) { testReal(t, backend{peer, peer.Start(t, samples)}) })
	}
}

func testReal(t *testing.T, b backend) {
	t.Run("conformance", func(t *testing.T) { testConformance(t, b) })
	t.Run("trouble", func(t *testing.T) { testTrouble(t, b) })
	if b.Peer != prometheustest.VictoriaMetrics { // whose own quantiles differ, and which we never ask for
		t.Run("quantiles", func(t *testing.T) { testQuantiles(t, b.url) })
	}
	t.Run("clusters", func(t *testing.T) { testClusters(t, b.url) })
	t.Run("replicas", func(t *testing.T) { testReplicas(t, b) })
	t.Run("findings", func(t *testing.T) { testFindings(t, b) })
	t.Run("queries", func(t *testing.T) { testQueries(t, b) })
	t.Run("concurrent", func(t *testing.T) { testConcurrent(t, b) })
}

// testConformance tries all scenarios, but those that a backend can not know of.
func testConformance(t *testing.T, b backend) {
	for _, scenario := range conformance.Scenarios(t) {
		t.Run(scenario.Name, func(t *testing.T) {
			if b.Peer == prometheustest.VictoriaMetrics && (scenario.Name == "nan" || scenario.Name == "samples-nan") {
				t.Skip("VictoriaMetrics keeps no NaN but those that end a series")
			}
			b.compare(t, scenario, open(t, b, scenario))
		})
	}
}

// compare what the source reads with what the scenario expects.
func (b backend) compare(t *testing.T, scenario conformance.Scenario, source sources.Source) *sources.Reading {
	t.Helper()
	reading, err := source.Read(t.Context(), scenario.At, scenario.Window)
	if err != nil {
		t.Fatalf("%s\nread: %v", scenario.Why, err)
	}
	if want := map[bool]sources.Rule{true: sources.BetweenSamples, false: sources.Extrapolated}[b.Peer == prometheustest.VictoriaMetrics]; reading.Rule != want {
		t.Errorf("the rule is %s, want %s", reading.Rule, want)
	}
	if b.Peer == prometheustest.Prometheus3 {
		scenario.Tolerance = 1e-5 // a millisecond of the window is 3e-6
	}
	for _, difference := range conformance.Compare(scenario, reading) {
		t.Error(difference)
	}
	if t.Failed() {
		t.Logf("the scenario: %s", scenario.Why)
	}
	return reading
}

func open(t *testing.T, b backend, scenario conformance.Scenario) *prometheus.Source {
	t.Helper()
	return openWith(t, b, prometheus.ClientConfig{URL: b.url}, scenario)
}

func openWith(t *testing.T, b backend, config prometheus.ClientConfig, scenario conformance.Scenario) *prometheus.Source {
	t.Helper()
	client, err := prometheus.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	settings := prometheus.Config{
		Client:  client,
		Signals: scenario.Signals,
		Match:   map[string]string{"scenario": scenario.Name},
		Timeout: time.Minute,
	}
	if b.Peer == prometheustest.Prometheus3 {
		settings = settings.WithLongerRanges()
	}
	source, err := prometheus.New(settings)
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
