// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// ratioFile has ratios over all, by key, and of kubelets.
const ratioFile = `
signals:
- name: pod-starts
  component: kubelet
  type: Counter
  metrics: [kubelet_started_pods_total_by_result]
  labels: [result, source]
objectives:
- {name: availability, description: d, signal: api-requests, goodRatio: "0.9", bad: {code: [5xx]}}
- {name: writes, description: d, signal: api-requests, goodRatio: "0.9", good: {code: [2xx]}, verbs: [PUT, POST], scope: resource, key: [group, resource, verb]}
- {name: pod-starts, description: d, signal: pod-starts, goodRatio: "0.9", good: {result: [ok]}}
`

// counting are the ratios of the file and a latency that has dry runs among its requests,
// with the signals that they need and those that are beside.
func counting(t testing.TB) ([]sources.Signal, []slo.Objective) {
	t.Helper()
	catalog, err := objectives.Load("ratios.yaml", []byte("apiVersion: "+objectives.APIVersion+"\nkind: "+objectives.Kind+"\n"+ratioFile))
	if err != nil {
		t.Fatal(err)
	}
	d, err := slo.Define(catalog, slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	d.Objectives = slices.DeleteFunc(d.Objectives, func(o slo.Objective) bool { return o.GoodMillionths == 0 && o.Name != slo.APILatencyMutating })
	needed := map[string]bool{}
	for _, o := range d.Objectives {
		needed[o.Signal] = true
		for _, name := range slo.History(d.Objectives, o.Signal).Beside {
			needed[name] = true
		}
	}
	return slices.DeleteFunc(d.Signals, func(s sources.Signal) bool { return !needed[s.Name] }), d.Objectives
}

// answered are counters of a kube-apiserver of this version: what is born and bad, what
// is idle, what has lost its label, and a gauge of so many nodes.
func answered(version string, nodes func(minute float64) int) []pastKey {
	answers := func(group, resource, verb, scope, more string, born float64, rate func(m float64) int) pastKey {
		return pastKey{
			name: "apiserver_request_total", kind: sources.Counter, born: born,
			labels: fmt.Sprintf(`component="apiserver",group=%q,resource=%q,verb=%q,scope=%q,version="v1"%s`, group, resource, verb, scope, more),
			rate:   func(m float64) (int, int) { return rate(m), 0 },
		}
	}
	when := func(during func(float64) bool, many, few int) func(float64) int {
		return func(m float64) int {
			if during(m) {
				return many
			}
			return few
		}
	}
	return []pastKey{
		answers("", "pods", "GET", "resource", `,code="200"`, 0, when(during(12, 20), 0, 9)),
		answers("", "pods", "GET", "resource", `,code="500"`, 30, when(during(30, 34), 3, 0)), // born in an outage
		answers("", "pods", "PUT", "resource", `,code="200"`, 0, when(during(12, 20), 0, 5)),
		answers("", "pods", "PUT", "resource", `,code="409"`, 61, when(during(61, 63), 2, 0)),
		answers("apps", "deployments", "POST", "resource", `,code="201"`, 0, when(during(50, 60), 0, 1)),
		answers("apps", "deployments", "POST", "resource", "", 96, when(during(96, 99), 40, 0)), // without its code
		answers("", "pods", "PATCH", "resource", `,code="200",dry_run="All"`, 0, func(float64) int { return 120 }),
		{
			name: "apiserver_request_sli_duration_seconds", bounds: []float64{1, 2}, slowFrom: 2,
			labels: `component="apiserver",group="",resource="pods",verb="PATCH",scope="resource",version="v1"`,
			rate:   func(float64) (int, int) { return 200, 1 }, // fast enough, if the dry runs were not
		},
		{
			name: "kubernetes_build_info", labels: fmt.Sprintf("git_version=%q", version), kind: sources.Gauge,
			rate: func(float64) (int, int) { return 1, 0 },
		},
		{
			name: "apiserver_resource_objects", labels: `group="",resource="nodes"`, kind: sources.Gauge,
			rate: func(m float64) (int, int) { return nodes(m), 0 },
		},
	}
}

func startKeys() []pastKey {
	count := func(result string, rate func(m float64) (int, int)) pastKey {
		return pastKey{name: "kubelet_started_pods_total_by_result", kind: sources.Counter, labels: fmt.Sprintf(`result=%q,source="api"`, result), rate: rate}
	}
	return []pastKey{
		count("ok", func(float64) (int, int) { return 3, 0 }),
		count("failed", func(m float64) (int, int) {
			if during(80, 82)(m) {
				return 2, 0
			}
			return 0, 0
		}),
	}
}

// answeredSamples are a history of counters: restarts, failing scrapes, another server
// among the kube-apiservers, and more nodes than kubelets for a while.
func answeredSamples(scenario string) []prometheustest.Sample {
	nodes := func(m float64) int {
		if during(85, 90)(m) {
			return 4
		}
		return 2
	}
	keys := answered("v1.34.1", nodes)
	var samples []prometheustest.Sample
	for _, p := range []pastProcess{
		{labels: apiserverTarget(scenario, "a"), to: pastMinutes, started: -600},
		{labels: apiserverTarget(scenario, "b"), from: 0.25, to: 42, started: -500, fails: during(22, 26)},
		{labels: apiserverTarget(scenario, "b"), from: 42.6, to: pastMinutes, started: 42.2},
	} {
		samples = append(samples, p.samples(keys)...)
	}
	// A twin of a, and a stranger.
	twin := pastProcess{labels: apiserverTarget(scenario, "d"), from: 128, to: 139, started: -600}
	samples = append(samples, twin.samples(keys)...)
	stranger := pastProcess{labels: apiserverTarget(scenario, "c"), from: 110, to: 125, started: -550}
	samples = append(samples, stranger.samples(answered("v0.0.0-master", nodes))...)
	for _, name := range []string{"1", "2"} {
		p := pastProcess{labels: kubeletTarget(scenario, name), from: 0.2, to: pastMinutes, started: -600}
		samples = append(samples, p.samples(startKeys())...)
	}
	return samples
}

// TestRealHistoryOfCounters judges ratios minute by minute, and counts their events,
// once from ordinary reads and once from range queries of the labels that decide.
func TestRealHistoryOfCounters(t *testing.T) {
	t.Parallel()
	const scenario = "answered"
	samples := answeredSamples(scenario)
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) {
			signals, counting := counting(t)
			live, sent := comparePast(t, backend{peer, peer.Start(t, samples)}, scenario, signals, counting, true)
			t.Logf("%d queries", len(sent.queries))
			// Seven for the ratios, ten for the latency and as many for the kubelets, three
			// times, and what restarts and missing instances cost more, also for the plan of
			// each minute.
			if most := 3*(7+10+10) + 102; len(sent.queries) > most {
				t.Errorf("%d queries were sent, want at most %d", len(sent.queries), most)
			}
			for at, want := range map[string]string{
				" 10 availability":         "Met: ",
				" 18 availability":         "Met: 0 of ",
				" 24 availability":         "Unknown:", // b is not read
				" 33 availability":         "Violated:",
				" 40 pod-starts":           "Met: ",
				" 63 writes":               "PUT pods Violated",
				" 83 pod-starts":           "Violated:",
				" 88 pod-starts":           "Unknown:", // more nodes than kubelets
				" 98 availability":         "Unknown:", // without a code
				"118 availability":         "Unknown:", // with a stranger
				"137 availability":         "Unknown:", // with a twin
				"149 availability":         "Met: ",
				" 10 api-latency-mutating": "Unknown:", // which of them were dry runs?
			} {
				if !strings.Contains(live[at], want) {
					t.Errorf("%s is %q, want %q in it", at, live[at], want)
				}
			}
		})
	}
}
