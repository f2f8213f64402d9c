// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// pastStart is when the history of this file begins.
var pastStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const pastMinutes = 150

func pastMinute(m float64) time.Time {
	return pastStart.Add(time.Duration(m * float64(time.Minute)))
}

// pastProcess is a process that is scraped: from and to are minutes, and fails says
// in which its scrapes fail.
type pastProcess struct {
	labels   string // of its target
	from, to float64
	started  float64 // minute
	fails    func(minute float64) bool
	dotted   bool // spells le as Prometheus 3 does
}

// pastKey is a histogram: rate gives the requests in a scrape interval and how many
// of them are slow, by the minute; before the minute born there is none.
type pastKey struct {
	name, labels string
	born         float64
	bounds       []float64
	slowFrom     float64 // where slow requests are counted, in seconds
	rate         func(minute float64) (requests, slow int)
}

const pastInterval = 0.5 // minutes

// samples of a process with these histograms, each of which is its own.
func (p pastProcess) samples(keys []pastKey) []prometheustest.Sample {
	var samples []prometheustest.Sample
	fast, slow := make([]int, len(keys)), make([]int, len(keys))
	had := map[string]bool{}
	add := func(series string, minute, value float64) {
		had[series] = true
		samples = append(samples, prometheustest.Sample{Series: series, At: pastMinute(minute), Value: value})
	}
	endAll := func(minute float64) {
		for series := range had {
			samples = append(samples, prometheustest.Sample{Series: series, At: pastMinute(minute), Value: prometheustest.Stale()})
		}
		clear(had)
	}
	for minute := p.from; minute < p.to; minute += pastInterval {
		for i, k := range keys {
			if minute >= k.born {
				requests, bad := k.rate(minute)
				fast[i], slow[i] = fast[i]+requests-bad, slow[i]+bad
			}
		}
		up := with("up", p.labels)
		if p.fails != nil && p.fails(minute) {
			endAll(minute)
			samples = append(samples, prometheustest.Sample{Series: up, At: pastMinute(minute), Value: 0})
			continue
		}
		samples = append(samples, prometheustest.Sample{Series: up, At: pastMinute(minute), Value: 1})
		add(with("process_start_time_seconds", p.labels), minute, float64(pastMinute(p.started).Unix()))
		for i, k := range keys {
			if minute < k.born {
				continue
			}
			for _, bound := range append(slices.Clone(k.bounds), math.Inf(1)) {
				count := fast[i]
				if bound >= k.slowFrom {
					count += slow[i]
				}
				le := conformance.FormatValue(bound)
				if p.dotted && !strings.ContainsAny(le, ".I") {
					le += ".0"
				}
				add(with(k.name+"_bucket{"+k.labels, p.labels, `le="`+le+`"`), minute, float64(count))
			}
			add(with(k.name+"_sum{"+k.labels, p.labels), minute, float64(fast[i])*0.1)
		}
	}
	endAll(p.to)
	return samples
}

func during(from, to float64) func(float64) bool {
	return func(minute float64) bool { return minute >= from && minute < to }
}

// requestKeys of one process. What is slow, and when, is the same in all of them, or
// drawn from random.
func requestKeys(random *rand.Rand) []pastKey {
	bounds := []float64{0.05, 0.1, 0.4, 0.8, 1, 1.25, 2, 5, 10, 20, 30, 45, 60}
	key := func(group, resource, verb, scope string, born, slowFrom float64, rate func(float64) (int, int)) pastKey {
		return pastKey{
			name:   "apiserver_request_sli_duration_seconds",
			labels: fmt.Sprintf(`component="apiserver",group=%q,resource=%q,verb=%q,scope=%q,version="v1"`, group, resource, verb, scope),
			born:   born, bounds: bounds, slowFrom: slowFrom, rate: rate,
		}
	}
	steady := func(float64) (int, int) { return 7, 0 }
	return []pastKey{
		key("", "pods", "GET", "resource", 0, 2, steady),
		key("", "nodes", "LIST", "cluster", 0, 45, func(m float64) (int, int) {
			if during(12, 14)(m) {
				return 10, 5 // bad
			}
			if during(20, 30)(m) {
				return 0, 0 // idle for a while
			}
			return 3, 0
		}),
		key("", "pods", "PATCH", "resource", 0, 2, func(m float64) (int, int) {
			switch {
			case during(30, 33)(m):
				return 10, 1
			case m > 110:
				return 0, 0
			}
			n := random.IntN(60)
			if random.IntN(20) == 0 {
				return n, n / 20 // about the percentile over the window
			}
			return n, 0
		}),
		key("", "pods", "LIST", "namespace", 3, 45, func(float64) (int, int) { return random.IntN(2), 0 }),
		// Born in the middle, with a slow request at once, and rare after that.
		key("", "secrets", "POST", "resource", 60, 2, func(m float64) (int, int) {
			if m == 60 {
				return 1, 1
			}
			return 0, 0
		}),
		key("apps", "deployments", "PUT", "resource", 124.5, 2, steady),
		key("example.com", "widgets", "PUT", "resource", 0, 2, func(float64) (int, int) { return 1, 1 }), // excluded
	}
}

func podStartKeys(bad func(float64) bool) []pastKey {
	return []pastKey{{
		name: "kubelet_pod_start_sli_duration_seconds", bounds: []float64{0.5, 1, 3, 5, 10, 60}, slowFrom: 10,
		rate: func(m float64) (int, int) {
			if bad(m) {
				return 4, 2
			}
			return 2, 0
		},
	}}
}

// pastSamples is a history with all that may happen to a cluster and to scraping.
func pastSamples() []prometheustest.Sample {
	random := rand.New(rand.NewPCG(10, 1))
	apiserver := func(name string) string { return `scenario="past",job="apiserver",instance="` + name + `"` }
	kubelet := func(name string) string {
		return `scenario="past",job="kubelet",metrics_path="/metrics",node="` + name + `",instance="192.0.2.` + name + `:10250"`
	}
	noScrape := during(70, 78)
	var samples []prometheustest.Sample
	for _, p := range []pastProcess{
		{labels: apiserver("a"), to: pastMinutes, started: -600},
		{labels: apiserver("b"), from: 0.25, to: pastMinutes, started: -500, fails: during(86, 94), dotted: true},
		// It restarts in the middle, and once more when nobody scrapes.
		{labels: apiserver("c"), from: 0.1, to: 42, started: -400},
		{labels: apiserver("c"), from: 42.6, to: 75, started: 42.2},
		{labels: apiserver("c"), from: 75.1, to: 101, started: 74.9},
		// It is gone from then on, and another is born.
		{labels: apiserver("d"), from: 104.1, to: pastMinutes, started: 103.9},
	} {
		samples = append(samples, p.samples(requestKeys(random))...)
	}
	never := func(float64) bool { return false }
	for _, p := range []struct {
		pastProcess
		bad func(float64) bool
	}{
		{pastProcess{labels: kubelet("1"), to: pastMinutes, started: -600}, during(55, 57)},
		{pastProcess{labels: kubelet("2"), from: 0.3, to: 130, started: -600, fails: during(110, 116)}, never},
		{pastProcess{labels: kubelet("3"), from: 35.2, to: pastMinutes, started: 34.9}, during(55, 57)},
	} {
		samples = append(samples, p.samples(podStartKeys(p.bad))...)
	}
	return slices.DeleteFunc(samples, func(s prometheustest.Sample) bool {
		return noScrape(s.At.Sub(pastStart).Minutes())
	})
}

func pastSource(t *testing.T, config prometheus.ClientConfig, scenario string) *prometheus.Source {
	t.Helper()
	client, err := prometheus.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	source, err := prometheus.New(prometheus.Config{
		Client: client, Signals: slo.Signals(), Match: map[string]string{"scenario": scenario}, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// TestRealHistory judges a history minute by minute, once from ordinary reads and
// once from range queries.
func TestRealHistory(t *testing.T) {
	address := prometheustest.Start(t, pastSamples())
	objectives, err := slo.Catalog(slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	builtIn := map[schema.GroupResource]slo.Class{{Group: "example.com", Resource: "widgets"}: slo.Custom, {Group: "apps", Resource: "deployments"}: slo.BuiltIn}
	for _, resource := range []string{"pods", "nodes", "secrets"} {
		builtIn[schema.GroupResource{Resource: resource}] = slo.BuiltIn
	}
	resources := slo.NewResources(builtIn, nil)
	live := map[string]string{}
	source := pastSource(t, prometheus.ClientConfig{URL: address}, "past")
	for m := range pastMinutes {
		reading, err := source.Read(t.Context(), pastMinute(float64(m)), slo.DefaultWindow)
		if err != nil {
			t.Fatal(err)
		}
		_, minutes := slo.Judge(objectives, reading, resources, slo.Options{})
		for _, minute := range minutes {
			live[fmt.Sprintf("%3d %s", m, minute.Objective)] = describe(minute)
		}
	}

	r := &recorder{}
	source = pastSource(t, prometheus.ClientConfig{URL: address, Wrap: func(next http.RoundTripper) http.RoundTripper {
		r.next = next
		return r
	}}, "past")
	past := map[string]string{}
	for _, signal := range slo.Signals() {
		own := slices.DeleteFunc(slices.Clone(objectives), func(o slo.Objective) bool { return o.Signal != signal.Name })
		for first := 0; first < pastMinutes; first += 60 {
			err := source.ReadHistory(t.Context(), sources.History{
				Signal: signal.Name, Bounds: slo.Decisive(objectives, signal.Name),
				First: pastMinute(float64(first)), Last: pastMinute(float64(min(first+60, pastMinutes) - 1)),
				Step: time.Minute, Window: slo.DefaultWindow,
			}, func(reading *sources.Reading) error {
				_, minutes := slo.Judge(own, reading, resources, slo.Options{})
				for _, minute := range minutes {
					past[fmt.Sprintf("%3.0f %s", reading.At.Sub(pastStart).Minutes(), minute.Objective)] = describe(minute)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(live, past); diff != "" {
		t.Errorf("minutes (-live +past):\n%s", diff)
	}
	seen := map[string]map[string]int{}
	for at, minute := range live {
		verdict, _, _ := strings.Cut(minute, ":")
		if seen[at[4:]] == nil {
			seen[at[4:]] = map[string]int{}
		}
		seen[at[4:]][verdict]++
	}
	t.Logf("verdicts: %v; %d queries", seen, len(r.queries))
	for _, verdict := range []v1alpha1.Verdict{v1alpha1.VerdictMet, v1alpha1.VerdictViolated, v1alpha1.VerdictNoTraffic, v1alpha1.VerdictUnknown} {
		if seen[slo.APILatencyMutating][string(verdict)] == 0 {
			t.Errorf("no minute of the history is %s", verdict)
		}
	}
	checkBuckets(t, r.queries)
	if r.atMax != 1 {
		t.Errorf("%d queries were under way at once", r.atMax)
	}
}

// checkBuckets looks for buckets that nobody needs.
func checkBuckets(t *testing.T, queries []string) {
	t.Helper()
	ranges := 0
	for _, q := range queries {
		form, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		promql := form.Get("query")
		if form.Has("step") {
			ranges++
		}
		if strings.Contains(promql, "_sum") {
			t.Errorf("sums are read: %s", promql)
		}
		for _, selector := range strings.Split(promql, "_bucket{")[1:] {
			selector, _, _ = strings.Cut(selector, "}")
			if !strings.Contains(selector, `le="+Inf"`) && !strings.Contains(selector, `le=~"1|1\\.0|30|30\\.0|\\+Inf"`) && !strings.Contains(selector, `le=~"5|5\\.0|\\+Inf"`) {
				t.Errorf("other buckets are read: %s", promql)
			}
		}
	}
	if ranges < len(queries)/2 {
		t.Errorf("%d of %d queries are range queries", ranges, len(queries))
	}
}

func describe(m slo.Minute) string {
	text := string(m.Verdict) + ":"
	for _, k := range m.Keys {
		text += fmt.Sprintf(" %s %s %s", k.Key.Verb, k.Key.Resource, k.Verdict)
	}
	return text
}
