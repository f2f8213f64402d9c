// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

const sliMetric = "apiserver_request_sli_duration_seconds"

// counts are cumulative counts of one kube-apiserver for one objective.
type counts struct{ total, good float64 }

func (c counts) slow() float64 { return c.total - c.good }

// sample is what each kube-apiserver counts at a time between two instants.
type sample struct {
	from, to time.Time
	counts   map[string]counts // by objective
}

// take reads the metrics of a kube-apiserver with the text parser of Prometheus'
// own library, sharing nothing with the embedded source.
func take(t *testing.T, server apiserver) sample {
	t.Helper()
	s := sample{from: time.Now()}
	s.counts = read(t, server)
	s.to = time.Now()
	return s
}

func metrics(t *testing.T, server apiserver) []byte {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", server.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	body, err := client.RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatalf("metrics of %s: %v", server.Name, err)
	}
	return body
}

// thresholds by objective, as buckets of the metric.
var thresholds = map[string]float64{mutating: 1, readonlyResource: 1, readonlyNamespace: 30, readonlyCluster: 30}

func read(t *testing.T, server apiserver) map[string]counts {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(metrics(t, server)))
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	found := map[string]counts{}
	for _, metric := range families[sliMetric].GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		objective := objectiveOf(labels)
		if objective == "" {
			continue
		}
		c := found[objective]
		c.total += float64(metric.GetHistogram().GetSampleCount())
		for _, bucket := range metric.GetHistogram().GetBucket() {
			if bucket.GetUpperBound() == thresholds[objective] {
				c.good += float64(bucket.GetCumulativeCount())
			}
		}
		found[objective] = c
	}
	return found
}

// virtual resources and custom ones do not count (sig-scalability
// api_call_latency.md); the lab has no others.
var (
	virtualResources = []string{"tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews", "localsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}
	customResources  = []string{"widgets"}
)

// objectiveOf a series; "" when it counts for none.
func objectiveOf(labels map[string]string) string {
	if slices.Contains(virtualResources, labels["resource"]) || slices.Contains(customResources, labels["resource"]) {
		return ""
	}
	return objectiveBy(labels)
}

// objectiveBy verb and scope, whatever the resource.
func objectiveBy(labels map[string]string) string {
	switch verb, scope := labels["verb"], labels["scope"]; {
	case slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE", "APPLY"}, verb) && scope == "resource":
		return mutating
	case verb != "GET" && verb != "LIST":
		return ""
	case scope == "resource":
		return readonlyResource
	case scope == "namespace":
		return readonlyNamespace
	case scope == "cluster":
		return readonlyCluster
	}
	return ""
}

// TestTruth compares what is served with other ways to know it, under one load
// that lasts for longer than a window.
func TestTruth(t *testing.T) {
	t.Parallel()
	settled(t)
	lab.load(t, "mixed")
	lab.load(t, "custom")
	t.Run("together", func(t *testing.T) {
		t.Run("counters", testCounters)
		t.Run("one address", testOneAddress)
		t.Run("suspended", testSuspended)
	})
	t.Run("quantiles", testQuantiles)
	t.Run("custom resources", testCustomResources)
}

// The counters of the kube-apiservers, read by another way and often, leave a narrow
// range for what a window can hold, and both sources have to be in it: so they agree
// with each other, too, as far as the times of their samples do.
func testCounters(t *testing.T) {
	t.Parallel()
	samples := map[string][]sample{} // by kube-apiserver
	for end := time.Now().Add(window + 4*interval); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		for _, server := range lab.state.APIServers {
			samples[server.Name] = append(samples[server.Name], take(t, server))
		}
	}
	for _, objective := range slices.Sorted(maps.Keys(thresholds)) {
		for name, client := range clients() {
			report, err := getReport(t, client, objective)
			if err != nil {
				t.Fatal(err)
			}
			if report.Status.Requests == nil || report.Status.ObservationTime == nil {
				t.Fatalf("%s has no counts: %s", objective, describe(report.Status.Conditions))
			}
			lengths := []time.Duration{window}
			if name == "prometheus" {
				// PromQL extends what lies between the samples in the window to its bounds.
				lengths = append(lengths, window-interval)
			}
			var low, high counts
			for _, server := range lab.state.APIServers {
				samples[server.Name] = append(samples[server.Name], take(t, server))
				l, h := bounds(samples[server.Name], objective, report.Status.ObservationTime.Time, lengths)
				low, high = counts{low.total + l.total, low.good + l.good}, counts{high.total + h.total, high.good + h.good}
			}
			requests, slow := float64(*report.Status.Requests), float64(*report.Status.SlowRequests)
			t.Logf("%s by %s: %v requests, %v slow; the counters allow %.0f to %.0f, and %.0f to %.0f slow",
				objective, name, requests, slow, low.total, high.total, low.slow(), high.slow())
			if requests < math.Floor(low.total) || requests > math.Ceil(high.total) {
				t.Errorf("%s by %s: %v requests, the counters allow %v to %v", objective, name, requests, low.total, high.total)
			}
			if slow < math.Floor(low.slow()) || slow > math.Ceil(high.slow()) {
				t.Errorf("%s by %s: %v slow requests, the counters allow %v to %v", objective, name, slow, low.slow(), high.slow())
			}
			if low.total == 0 {
				t.Errorf("%s: the counters allow none at all, so this proves nothing", objective)
			}
		}
	}
}

// bounds of what one kube-apiserver counted in a window whose last sample is no more
// than an interval, each instance having its own slot in it, before the time of the
// newest one, which is given in seconds. What a shorter length holds is extended to
// the window.
func bounds(samples []sample, objective string, observed time.Time, lengths []time.Duration) (low, high counts) {
	low = counts{math.Inf(1), 0}
	lowSlow, highSlow := math.Inf(1), 0.0
	for end := observed.Add(-interval); !end.After(observed.Add(time.Second)); end = end.Add(100 * time.Millisecond) {
		for _, length := range lengths {
			extend := window.Seconds() / length.Seconds()
			least, most := between(samples, objective, end.Add(-length), end, false), between(samples, objective, end.Add(-length), end, true)
			low.total, high.total = min(low.total, extend*least.total), max(high.total, extend*most.total)
			lowSlow, highSlow = min(lowSlow, extend*least.slow()), max(highSlow, extend*most.slow())
		}
	}
	low.good, high.good = low.total-lowSlow, high.total-highSlow
	return low, high
}

// between is what was added between two times: at most, by the samples right outside
// of them, or at least, by those right within.
func between(samples []sample, objective string, start, end time.Time, outside bool) counts {
	first, last := -1, -1
	for i, s := range samples {
		if outside {
			if !s.to.After(start) {
				first = i
			}
			if last < 0 && !s.from.Before(end) {
				last = i
			}
			continue
		}
		if first < 0 && !s.from.Before(start) {
			first = i
		}
		if !s.to.After(end) {
			last = i
		}
	}
	if outside && first < 0 {
		first = 0
	}
	if outside && last < 0 {
		last = len(samples) - 1
	}
	if first < 0 || last < first {
		return counts{}
	}
	a, b := samples[first].counts[objective], samples[last].counts[objective]
	return counts{b.total - a.total, b.good - a.good}
}

// Quantiles of the server that reads Prometheus are those of PromQL on the same
// samples. The window moves on with every scrape, so PromQL is asked before and
// after, until nothing changed in between.
func testQuantiles(t *testing.T) {
	wantVerdict(t, lab.viaPrometheus, mutating, 2*window, v1alpha1.VerdictMet)
	eventually(t, window, "quantiles agree with PromQL", func() error {
		report, err := getReport(t, lab.viaPrometheus, mutating)
		if err != nil {
			return err
		}
		worst := report.Status.Worst[0]
		match := fmt.Sprintf(`job="apiserver",component="apiserver",scope="resource",group=%q,resource=%q,subresource=%q,verb=%q`,
			worst.Group, worst.Resource, worst.Subresource, worst.Verb)
		at := report.Status.ObservationTime.Add(500 * time.Millisecond)
		for q, got := range map[float64]*int64{0.5: worst.P50Milliseconds, 0.9: worst.P90Milliseconds, 0.99: worst.P99Milliseconds} {
			query := fmt.Sprintf(`histogram_quantile(%v, sum by (le) (increase(%s_bucket{%s}[%s])))`, q, sliMetric, match, window)
			want, err := promQL(t, query, at)
			if err != nil {
				return err
			}
			if math.Abs(math.Ceil(want*1000-1e-6)-float64(*got)) > 1 {
				return fmt.Errorf("%s at %s: %v s, served %d ms", query, at.Format(time.TimeOnly), want, *got)
			}
		}
		return nil
	})
}

// Custom resources under load are counted as excluded, and the verdict is that
// of the others.
func testCustomResources(t *testing.T) {
	for name, client := range clients() {
		eventually(t, 2*window, name+" excludes custom resources", func() error {
			report, err := getReport(t, client, mutating)
			if err != nil {
				return err
			}
			if report.Status.Keys == nil {
				return errors.New(describe(report.Status.Conditions))
			}
			for _, worst := range report.Status.Worst {
				if worst.Resource == "widgets" {
					t.Fatalf("a custom resource counts: %+v", worst)
				}
			}
			for _, excluded := range report.Status.Keys.Excluded {
				if excluded.Reason == v1alpha1.ExcludedCustomResource && excluded.Requests > 0 {
					return nil
				}
			}
			return fmt.Errorf("excluded: %+v", report.Status.Keys.Excluded)
		})
		wantVerdict(t, client, mutating, interval, v1alpha1.VerdictMet)
	}
}
