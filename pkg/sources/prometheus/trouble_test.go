// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// Scenarios of what can go wrong between a cluster and its Prometheus. jobs are the
// scrape jobs that have all the samples; the first has the job of that name.
var trouble = []struct {
	name, text string
	jobs       []string
	warning    string
}{{
	name: "two-jobs",
	text: `# Two jobs scrape one kube-apiserver: it is counted once.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds per-instance
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_request_total 100+10x6
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 10+1x6
apiserver_request_sli_duration_seconds_sum 10+1x6
expect instance kube-apiserver 10.0.0.1:6443 observed complete first=-300s last=0s started=-86400s
expect requests{} increase=50
expect latency{} instance=10.0.0.1:6443 count=5
`,
	jobs:    []string{"apiserver", "kubernetes-apiservers"},
	warning: `kube-apiserver 10.0.0.1:6443 is scraped as job "apiserver" instance "10.0.0.1:6443" and as job "kubernetes-apiservers" instance "10.0.0.1:6443": only the first is counted`,
}, {
	name: "load-balancer",
	text: `# Two processes answer in turn behind one address: their start times go back and forth.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver lb.example.io:443
started -24h
started -23h from -240s
started -24h from -120s
started -23h from -60s
apiserver_request_total 100 110 50 60 120 70 80
expect instance kube-apiserver lb.example.io:443 observed started=-82800s
# No more than 50 requests came: what looks like resets adds 150.
expect requests{} increase=200
`,
	jobs:    []string{"apiserver"},
	warning: "kube-apiserver lb.example.io:443 is the address of 2 processes that answer in turn",
}, {
	name: "nobody-known",
	text: `# Neither up nor a start time came through: the figures stand, and which instances they are of is not known.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
apiserver_request_total 100+10x6
expect requests{} increase=50
`,
	jobs:    []string{"apiserver"},
	warning: `no series up or process_start_time_seconds has job=~"apiserver|`,
}, {
	name: "crash-loop",
	text: `# Processes that follow each other are no load balancer, however many they are.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -24h
started -250s from -240s
started -130s from -120s
apiserver_request_total 100 110 5 6 5 6 7
expect instance kube-apiserver 10.0.0.1:6443 observed complete started=-130s
expect requests{} increase=13
`,
	jobs: []string{"apiserver"},
}, {
	name: "kubelets-seldom-asked",
	text: `# What the few questions for many kubelets leave open is no claim: a kubelet that Prometheus has known for less than a window covers nothing.
window 300s
scrape -360s every 60s
signal startup counter kubelet kubelet_pod_starts_total per-instance
instance kubelet born
started -130s from -120s
kubelet_pod_starts_total _x4 0 1 2
instance kubelet down
started -24h
up 1 1 1 1 0 0 0
kubelet_pod_starts_total 100+1x6
instance kubelet late
started -24h from -120s
kubelet_pod_starts_total _x4 5 5 5
instance kubelet restarted
started -24h
started -70s from -60s
kubelet_pod_starts_total 100 100 100 100 101 1 2
expect instance kubelet born observed complete first=-130s last=0s started=-130s
expect instance kubelet down unobserved
expect instance kubelet late observed incomplete first=0s last=0s started=-86400s
expect instance kubelet restarted observed complete first=-300s last=0s started=-70s
# Counters that begin at zero are not extended below it.
expect startup{} instance=born increase=2
expect startup{} instance=late increase=0
expect startup{} instance=restarted increase=3
`,
	jobs: []string{""},
}, {
	name: "kubelets-without-start",
	text: `# Without start times the scrapes tell when kubelets were read.
window 300s
scrape -360s every 60s
signal startup counter kubelet kubelet_pod_starts_total
instance kubelet node-a
kubelet_pod_starts_total 100+1x6
instance kubelet node-b
up 1 1 1 1 1 1 0
kubelet_pod_starts_total 100+1x6
expect instance kubelet node-a observed complete first=-300s last=0s started=unknown
expect instance kubelet node-b unobserved
expect startup{} increase=5
`,
	jobs: []string{""},
}}

func troubleScenario(t *testing.T, i int) conformance.Scenario {
	t.Helper()
	scenario, err := conformance.Parse(trouble[i].name, trouble[i].text)
	if err != nil {
		t.Fatal(err)
	}
	return scenario
}

func troubleSamples(t *testing.T) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i := range trouble {
		for _, job := range trouble[i].jobs {
			samples = append(samples, scraped(troubleScenario(t, i), job)...)
		}
	}
	return slices.DeleteFunc(samples, func(s prometheustest.Sample) bool {
		return strings.HasPrefix(s.Series, `up{scenario="nobody-known"`)
	})
}

func testTrouble(t *testing.T, url string) {
	for i, test := range trouble {
		t.Run(test.name, func(t *testing.T) {
			scenario := troubleScenario(t, i)
			reading, err := open(t, url, scenario).Read(context.Background(), scenario.At, scenario.Window)
			if err != nil {
				t.Fatal(err)
			}
			for _, difference := range conformance.Compare(scenario, reading) {
				t.Error(difference)
			}
			warned := strings.Join(reading.Warnings, "\n")
			if !strings.Contains(warned, test.warning) || (warned == "") != (test.warning == "") {
				t.Errorf("got warnings %q, want one that has %q", reading.Warnings, test.warning)
			}
		})
	}
}

// recorder keeps the queries that were sent, and how many were under way at once.
type recorder struct {
	next http.RoundTripper

	mu              sync.Mutex
	queries         []string
	underWay, atMax int
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	form := make([]byte, request.ContentLength)
	_, _ = body.Read(form)
	r.mu.Lock()
	r.queries = append(r.queries, string(form))
	r.underWay++
	r.atMax = max(r.atMax, r.underWay)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.underWay--
		r.mu.Unlock()
	}()
	return r.next.RoundTrip(request)
}

// testQueries counts the queries of a Read: the plan is found once.
func testQueries(t *testing.T, url string) {
	r := &recorder{}
	scenario := scenarioNamed(t, "two-versions")
	source := openWith(t, prometheus.ClientConfig{URL: url, Wrap: func(next http.RoundTripper) http.RoundTripper {
		r.next = next
		return r
	}}, scenario)
	// One for the instances; two each for two metrics of two signals.
	for i, want := range []int{1 + 2 + 8, 1 + 8} {
		r.queries = nil
		if _, err := source.Read(context.Background(), scenario.At, scenario.Window); err != nil {
			t.Fatal(err)
		}
		if len(r.queries) != want {
			t.Errorf("read %d sent %d queries, want %d:\n%s", i, len(r.queries), want, strings.Join(r.queries, "\n"))
		}
	}
	if r.atMax > 4 {
		t.Errorf("%d queries were under way at once, want at most 4", r.atMax)
	}
	// Twenty minutes before, the instances may have had other metrics.
	r.queries = nil
	if _, err := source.Read(context.Background(), scenario.At.Add(-20*time.Minute), scenario.Window); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.queries, func(q string) bool { return strings.Contains(q, "group+by") }) {
		t.Errorf("the plan of another time was used: %q", r.queries)
	}
}

func testConcurrent(t *testing.T, url string) {
	scenario := scenarioNamed(t, "steady")
	source := open(t, url, scenario)
	readings := make([]*sources.Reading, 8)
	var wg sync.WaitGroup
	for i := range readings {
		wg.Go(func() { readings[i], _ = source.Read(context.Background(), scenario.At, scenario.Window) })
	}
	wg.Wait()
	for _, reading := range readings[1:] {
		if diff := cmp.Diff(readings[0], reading); diff != "" || reading == nil {
			t.Fatalf("two readings of one instant differ: %s", diff)
		}
	}
}

func scenarioNamed(t *testing.T, name string) conformance.Scenario {
	t.Helper()
	all := conformance.Scenarios(t)
	i := slices.IndexFunc(all, func(s conformance.Scenario) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no scenario %s", name)
	}
	return all[i]
}
