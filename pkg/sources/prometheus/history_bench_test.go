// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/component-base/metrics"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// busySamples are 70 minutes of three kube-apiservers with 600 keys of latencies and 600
// of answers by code, and what is beside them.
func busySamples(scenario string) []prometheustest.Sample {
	steady := func(float64) (int, int) { return 7, 0 }
	labels := func(i int, more string) string {
		verb := []string{"PUT", "POST", "PATCH"}[i%3]
		return fmt.Sprintf(`component="apiserver",group="",resource="kind%d",verb=%q,scope="resource",version="v1"%s`, i/3, verb, more)
	}
	var keys []pastKey
	for i := range 600 {
		keys = append(keys,
			pastKey{name: "apiserver_request_sli_duration_seconds", labels: labels(i, ""), bounds: []float64{0.1, 1, 5, 30, 60}, slowFrom: 2, rate: steady},
			pastKey{name: "apiserver_request_total", kind: sources.Counter, labels: labels(i/3*3, fmt.Sprintf(",code=\"%d\"", []int{200, 409, 500}[i%3])), rate: steady})
	}
	keys = append(keys,
		pastKey{name: "apiserver_request_total", kind: sources.Counter, labels: `component="apiserver",group="",resource="pods",verb="GET",scope="resource",code="200"`, rate: steady},
		pastKey{name: "kubernetes_build_info", kind: sources.Gauge, labels: `git_version="v1.34.1"`, rate: func(float64) (int, int) { return 1, 0 }})
	var samples []prometheustest.Sample
	for i := range 3 {
		p := pastProcess{labels: apiserverTarget(scenario, fmt.Sprint(i)), from: float64(i) / 10, to: 70, started: -600}
		samples = append(samples, p.samples(keys)...)
	}
	return samples
}

// meter of what a source costs: what it counts itself, and the processor time that
// Prometheus says it took, which is much the same on a machine that is busy.
func meter(b *testing.B, source *prometheus.Source, address string) func(name string) float64 {
	b.Helper()
	registry := metrics.NewKubeRegistry()
	for _, m := range source.Metrics() {
		if err := registry.Register(m); err != nil {
			b.Fatal(err)
		}
	}
	return func(name string) (total float64) {
		families, err := registry.Gather()
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "slo_apiserver_prometheus_"+name {
					total += m.GetCounter().GetValue()
				}
			}
		}
		if name != "cpu" {
			return total
		}
		response, err := http.Get(address + "/metrics")
		if err != nil {
			b.Fatal(err)
		}
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if value, found := strings.CutPrefix(lines.Text(), "process_cpu_seconds_total "); found {
				total, _ = strconv.ParseFloat(value, 64)
			}
		}
		return total
	}
}

// BenchmarkReadHistory is what an hour costs: see decisions 0010 and 0017.
func BenchmarkReadHistory(b *testing.B) {
	const scenario = "busy"
	address := prometheustest.Start(b, busySamples(scenario))
	signals, objectives := counting(b)
	official := officialObjectives(b)
	wanted := map[string]sources.History{"latency": slo.History(official, slo.SignalRequestLatency)}
	for _, o := range objectives {
		if o.Signal == "api-requests" {
			wanted["ratio "+o.Name] = slo.History([]slo.Objective{o}, o.Signal)
		}
	}
	for name, h := range wanted {
		b.Run(name, func(b *testing.B) {
			client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
			if err != nil {
				b.Fatal(err)
			}
			source, err := prometheus.New(prometheus.Config{
				Client: client, Signals: signals, Match: map[string]string{"scenario": scenario}, Timeout: time.Minute,
				Parameters: url.Values{"stats": {"all"}},
			})
			if err != nil {
				b.Fatal(err)
			}
			h.First, h.Last, h.Step, h.Window = pastMinute(10), pastMinute(69), time.Minute, slo.DefaultWindow
			spent := meter(b, source, address)
			before := spent("cpu")
			for b.Loop() {
				if err := source.ReadHistory(b.Context(), h, func(*sources.Reading) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(b.N)
			b.ReportMetric((spent("cpu")-before)/n, "cpu-s/op")
			b.ReportMetric(spent("queries_total")/n, "queries/op")
			b.ReportMetric(spent("samples_total")/n, "samples/op")
			b.ReportMetric(spent("engine_samples_total")/n, "engine-samples/op")
		})
	}
}
