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
	// native makes a native histogram of the counts; nil: they are classic ones.
	native func(k pastKey, fast, slow int) *prometheustest.Native
}

// pastKey is a histogram or a counter: rate gives the requests in a scrape interval and
// how many of them are slow, by the minute; before the minute born there is none. Of a
// gauge rate gives the value.
type pastKey struct {
	name, labels string
	kind         sources.Kind
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
	had := map[string]prometheustest.Sample{} // the ends of series
	add := func(series string, minute, value float64) {
		had[series] = prometheustest.Sample{Series: series, Value: prometheustest.Stale()}
		samples = append(samples, prometheustest.Sample{Series: series, At: pastMinute(minute), Value: value})
	}
	endAll := func(minute float64) {
		for _, end := range had {
			end.At = pastMinute(minute)
			samples = append(samples, end)
		}
		clear(had)
	}
	for minute := p.from; minute < p.to; minute += pastInterval {
		for i, k := range keys {
			if minute >= k.born {
				requests, bad := k.rate(minute)
				if k.kind == sources.Gauge {
					fast[i] = 0
				}
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
			if p.native != nil {
				series := with(k.name+"{"+k.labels, p.labels)
				had[series] = prometheustest.Sample{Series: series, Native: &prometheustest.Native{Sum: prometheustest.Stale()}}
				samples = append(samples, prometheustest.Sample{Series: series, At: pastMinute(minute), Native: p.native(k, fast[i], slow[i])})
				continue
			}
			if k.kind != sources.Histogram {
				add(with(k.name+"{"+k.labels, p.labels), minute, float64(fast[i]+slow[i]))
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
	return append(samples, prometheustest.Sample{Series: with("up", p.labels), At: pastMinute(p.to), Value: prometheustest.Stale()})
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
	keys := []pastKey{
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
	// As after a restart: one after the other is asked for the first time.
	for i := range 25 {
		keys = append(keys, key("batch", fmt.Sprint("kind", i), "GET", "resource", 122+float64(i), 2, steady))
	}
	return keys
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

func apiserverTarget(scenario, name string) string {
	return fmt.Sprintf(`scenario=%q,job="apiserver",instance=%q`, scenario, name)
}

func kubeletTarget(scenario, name string) string {
	return fmt.Sprintf(`scenario=%q,job="kubelet",metrics_path="/metrics",node=%q,instance="192.0.2.%s:10250"`, scenario, name, name)
}

// flappingSamples are of kubelets that are not read in turn, so that the question is
// another one nearly every minute.
func flappingSamples(scenario string) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i := range 30 {
		p := pastProcess{labels: kubeletTarget(scenario, fmt.Sprint(i)), from: float64(i) / 60, to: pastMinutes, started: -600}
		p.fails = func(m float64) bool { return math.Mod(m+float64(i)*2.5, 75) < 4.5 }
		samples = append(samples, p.samples(podStartKeys(during(40, 45)))...)
	}
	return samples
}

// pastSamples is a history with all that may happen to a cluster and to scraping.
func pastSamples(scenario string, seed uint64) []prometheustest.Sample {
	return pastSamplesOf(scenario, seed, func(*pastProcess) {})
}

// pastSamplesOf is the same, of processes that are changed first.
func pastSamplesOf(scenario string, seed uint64, change func(*pastProcess)) []prometheustest.Sample {
	random := rand.New(rand.NewPCG(10, seed))
	apiserver := func(name string) string { return apiserverTarget(scenario, name) }
	kubelet := func(name string) string { return kubeletTarget(scenario, name) }
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
		change(&p)
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
		change(&p.pastProcess)
		samples = append(samples, p.samples(podStartKeys(p.bad))...)
	}
	return slices.DeleteFunc(samples, func(s prometheustest.Sample) bool {
		return noScrape(s.At.Sub(pastStart).Minutes())
	})
}

// pastSignals are those of the official objectives. The samples have no others, and with
// a signal missing each Read looks for it, and finds instances that are about to end
// without metrics.
func pastSignals() []sources.Signal {
	return slices.DeleteFunc(slo.Signals(), func(s sources.Signal) bool {
		return s.Name != slo.SignalRequestLatency && s.Name != slo.SignalPodStartLatency
	})
}

func pastSource(t *testing.T, config prometheus.ClientConfig, scenario string, signals []sources.Signal) *prometheus.Source {
	t.Helper()
	client, err := prometheus.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	source, err := prometheus.New(prometheus.Config{
		Client: client, Signals: signals, Match: map[string]string{"scenario": scenario}, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// judged is what became of each minute of a history, by minute and objective.
type judged map[string]string

func (j judged) add(at time.Time, minutes []slo.Minute) {
	for _, m := range minutes {
		text := string(m.Verdict) + ":"
		for _, k := range m.Keys {
			text += fmt.Sprintf(" %s %s %s", k.Key.Verb, k.Key.Resource, k.Verdict)
		}
		if m.Events != nil {
			text += fmt.Sprintf(" %d of %d bad", m.Events.Bad, m.Events.Total)
		}
		j[fmt.Sprintf("%3.0f %s", at.Sub(pastStart).Minutes(), m.Objective)] = text
	}
}

// officialObjectives are those of the signals of pastSignals.
func officialObjectives(t testing.TB) []slo.Objective {
	t.Helper()
	objectives, err := slo.Catalog(slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	return objectives
}

// judge is a slo.Judge of the objectives, of one signal or of all.
func judge(objectives []slo.Objective) func(reading *sources.Reading, signal string) []slo.Minute {
	classes := map[schema.GroupResource]slo.Class{{Group: "example.com", Resource: "widgets"}: slo.Custom, {Group: "apps", Resource: "deployments"}: slo.BuiltIn}
	for _, resource := range []string{"pods", "nodes", "secrets"} {
		classes[schema.GroupResource{Resource: resource}] = slo.BuiltIn
	}
	resources := slo.NewResources(classes, nil)
	return func(reading *sources.Reading, signal string) []slo.Minute {
		own := slices.DeleteFunc(slices.Clone(objectives), func(o slo.Objective) bool { return signal != "" && o.Signal != signal })
		return slo.Judge(own, reading, resources, slo.Options{EveryKubelet: true}).Minutes
	}
}

// judgedLive judges every minute from an ordinary Read.
func judgedLive(t *testing.T, source *prometheus.Source, objectives []slo.Objective) judged {
	t.Helper()
	live, minutesOf := judged{}, judge(objectives)
	for m := range pastMinutes {
		reading, err := source.Read(t.Context(), pastMinute(float64(m)), slo.DefaultWindow)
		if err != nil {
			t.Fatal(err)
		}
		live.add(reading.At, minutesOf(reading, ""))
	}
	return live
}

// judgedPast judges every minute from the histories of the signals, an hour at a time.
func judgedPast(t *testing.T, source *prometheus.Source, objectives []slo.Objective, beside bool) judged {
	t.Helper()
	past, minutesOf := judged{}, judge(objectives)
	signals := map[string]bool{}
	for _, o := range objectives {
		signals[o.Signal] = true
	}
	for signal := range signals {
		wanted := slo.History(objectives, signal)
		if wanted.Step, wanted.Window = time.Minute, slo.DefaultWindow; !beside {
			wanted.Beside = nil
		}
		for first := 0; first < pastMinutes; first += 60 {
			wanted.First, wanted.Last = pastMinute(float64(first)), pastMinute(float64(min(first+60, pastMinutes)-1))
			err := source.ReadHistory(t.Context(), wanted, func(reading *sources.Reading) error {
				past.add(reading.At, minutesOf(reading, signal))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return past
}

// TestRealHistory judges histories minute by minute, once from ordinary reads and
// once from range queries.
func TestRealHistory(t *testing.T) {
	t.Parallel()
	const seeds = 2
	samples := flappingSamples("flapping")
	for seed := range seeds {
		samples = append(samples, pastSamples(fmt.Sprint("past-", seed), uint64(seed))...)
	}
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) {
			b := backend{peer, peer.Start(t, samples)}
			for seed := range seeds {
				if peer != prometheustest.Prometheus2 && seed > 0 {
					break // one is enough to see what is another engine's
				}
				t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { testHistory(t, b, fmt.Sprint("past-", seed)) })
			}
			t.Run("flapping", func(t *testing.T) { testFlapping(t, b) })
		})
	}
}

// comparePast with what was read live.
func comparePast(t *testing.T, b backend, scenario string, signals []sources.Signal, objectives []slo.Objective, beside bool) (live judged, sent *recorder) {
	t.Helper()
	live = judgedLive(t, pastSource(t, prometheus.ClientConfig{URL: b.url}, scenario, signals), objectives)
	sent = &recorder{}
	past := judgedPast(t, pastSource(t, prometheus.ClientConfig{URL: b.url, Wrap: func(next http.RoundTripper) http.RoundTripper {
		sent.next = next
		return sent
	}}, scenario, signals), objectives, beside)
	if diff := cmp.Diff(live, past); diff != "" {
		t.Errorf("minutes (-live +past):\n%s", diff)
	}
	if sent.atMax != 1 {
		t.Errorf("%d queries were under way at once", sent.atMax)
	}
	return live, sent
}

// compareOfficial is comparePast of the official objectives, without what is beside.
func compareOfficial(t *testing.T, b backend, scenario string) (live judged, sent *recorder) {
	t.Helper()
	live, sent = comparePast(t, b, scenario, pastSignals(), officialObjectives(t), false)
	checkBuckets(t, sent.queries)
	return live, sent
}

func testHistory(t *testing.T, b backend, scenario string) {
	live, sent := compareOfficial(t, b, scenario)
	t.Logf("%d queries", len(sent.queries))
	wantAll(t, live)
	// Six for kube-apiservers and nine for kubelets, three times, and what
	// restarts, births and missing instances cost more, also for the plan of each minute.
	// In MetricsQL queries name the instances that are new, too.
	most := 3*(6+9) + 60
	if b.Peer == prometheustest.VictoriaMetrics {
		most += 20
	}
	if len(sent.queries) > most {
		t.Errorf("%d queries were sent, want at most %d", len(sent.queries), most)
	}
}

func testFlapping(t *testing.T, b backend) {
	live, sent := compareOfficial(t, b, "flapping")
	if n := countVerdicts(live, slo.PodStartupLatency); n[v1alpha1.VerdictViolated] == 0 || n[v1alpha1.VerdictUnknown] == 0 {
		t.Errorf("minutes: %v", n)
	}
	ranges := 0
	for _, q := range sent.queries {
		if strings.Contains(q, "step=") {
			ranges++
		}
	}
	t.Logf("%d range queries of %d", ranges, len(sent.queries))
	if most := 3*40 + 3*3; ranges > most || len(sent.queries) < most {
		t.Errorf("%d range queries of %d: want at most %d, and others", ranges, len(sent.queries), most)
	}
}

func countVerdicts(live judged, objective string) map[v1alpha1.Verdict]int {
	counts := map[v1alpha1.Verdict]int{}
	for at, minute := range live {
		if verdict, _, _ := strings.Cut(minute, ":"); strings.HasSuffix(at, objective) {
			counts[v1alpha1.Verdict(verdict)]++
		}
	}
	return counts
}

// wantAll looks for all that the history was made to hold.
func wantAll(t *testing.T, live judged) {
	t.Helper()
	for _, verdict := range []v1alpha1.Verdict{v1alpha1.VerdictMet, v1alpha1.VerdictViolated, v1alpha1.VerdictNoTraffic, v1alpha1.VerdictUnknown} {
		if counts := countVerdicts(live, slo.APILatencyMutating); counts[verdict] == 0 {
			t.Errorf("no minute is %s: %v", verdict, counts)
		}
	}
	for at, want := range map[string]string{
		" 13 api-latency-readonly-cluster":  "Violated:  nodes Violated",
		" 28 api-latency-readonly-cluster":  "NoTraffic:",
		" 32 api-latency-mutating":          "PATCH pods Violated",
		" 57 pod-startup-latency":           "Violated",
		" 62 api-latency-mutating":          "POST secrets Violated", // born with its slow request
		" 74 api-latency-readonly-resource": "Unknown:",
		" 92 api-latency-mutating":          "Unknown:",
		"128 api-latency-mutating":          "PUT deployments Met",
	} {
		if !strings.Contains(live[at], want) {
			t.Errorf("%s is %q, want %q in it", at, live[at], want)
		}
	}
}

// checkBuckets looks for buckets that nobody needs.
func checkBuckets(t *testing.T, queries []string) {
	t.Helper()
	for _, q := range queries {
		form, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		promql := form.Get("query")
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
}
