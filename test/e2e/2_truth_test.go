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

// sample is what all kube-apiservers count at a time between two instants.
type sample struct {
	from, to time.Time
	counts   map[string]counts // by objective
}

// take reads the metrics of every kube-apiserver with the text parser of
// Prometheus' own library, sharing nothing with the embedded source.
func take(t *testing.T) sample {
	t.Helper()
	s := sample{from: time.Now(), counts: map[string]counts{}}
	for _, server := range lab.state.APIServers {
		for objective, add := range read(t, server) {
			c := s.counts[objective]
			s.counts[objective] = counts{c.total + add.total, c.good + add.good}
		}
	}
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
var notCounted = []string{"tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews", "localsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews", "widgets"}

func objectiveOf(labels map[string]string) string {
	if slices.Contains(notCounted, labels["resource"]) {
		return ""
	}
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
	settled(t)
	lab.load(t, "mixed")
	lab.load(t, "custom")
	var samples []sample
	for end := time.Now().Add(window + 4*interval); time.Now().Before(end); {
		samples = append(samples, take(t))
		time.Sleep(500 * time.Millisecond)
	}
	t.Run("counts", func(t *testing.T) { testCounts(t, samples) })
	t.Run("sources", testSourcesAgree)
	t.Run("quantiles", testQuantiles)
	t.Run("seats", testSeats)
	t.Run("custom resources", testCustomResources)
}

// The counters of the kube-apiservers, read by another way and often, leave a
// narrow range for what a window can hold: it is at least what was added between
// the sample after its start and the one before its end, and at most what was
// added between the one before its start and the one after its end.
func testCounts(t *testing.T, samples []sample) {
	t.Helper()
	for _, objective := range slices.Sorted(maps.Keys(thresholds)) {
		report, err := getReport(t, lab.slo, objective)
		if err != nil {
			t.Fatal(err)
		}
		if report.Status.Requests == nil || report.Status.WindowSeconds == nil || report.Status.ObservationTime == nil {
			t.Fatalf("%s has no counts: %s", objective, describe(report.Status.Conditions))
		}
		samples = append(samples, take(t))
		// Both times are rounded to seconds, and each instance has its own slot
		// within the interval, so each bound may be that much off.
		end := report.Status.ObservationTime.Time
		start := end.Add(-time.Duration(*report.Status.WindowSeconds) * time.Second)
		slack := interval + time.Second
		low := between(samples, objective, start.Add(slack), end.Add(-slack), false)
		high := between(samples, objective, start.Add(-slack), end.Add(slack), true)
		requests, slow := float64(*report.Status.Requests), float64(*report.Status.SlowRequests)
		t.Logf("%s: %v requests, %v slow; the counters allow %v to %v", objective, requests, slow, low, high)
		if requests < low.total || requests > high.total {
			t.Errorf("%s: %v requests, the counters allow %v to %v", objective, requests, low.total, high.total)
		}
		if lowSlow, highSlow := low.total-low.good, high.total-high.good; slow < lowSlow || slow > highSlow {
			t.Errorf("%s: %v slow requests, the counters allow %v to %v", objective, slow, lowSlow, highSlow)
		}
		if low.total == 0 {
			t.Errorf("%s: the counters allow none at all, so this proves nothing", objective)
		}
	}
}

// between is what was added between two times: by samples outside of them, or by
// samples within.
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

// Seats are gauges: the same in both places, but for a moment.
func testSeats(t *testing.T) {
	families := map[string]map[string]map[string]float64{} // address, metric, level
	for _, server := range lab.state.APIServers {
		families[server.Address] = gauges(t, metrics(t, server))
	}
	for _, level := range []string{"workload-low", "workload-high", "node-high", "system", "leader-election", "global-default", "catch-all"} {
		eventually(t, window, "seats of "+level, func() error {
			headroom, err := getHeadroom(t, lab.slo, level)
			if err != nil {
				return err
			}
			if len(headroom.Status.ByInstance) != len(families) {
				return fmt.Errorf("%d instances", len(headroom.Status.ByInstance))
			}
			for _, row := range headroom.Status.ByInstance {
				want := families[row.Instance]
				if nominal := want["apiserver_flowcontrol_nominal_limit_seats"][level]; float64(*row.NominalSeats) != nominal {
					return fmt.Errorf("%s: nominal %d, the metric says %v", row.Instance, *row.NominalSeats, nominal)
				}
				low, high := want["apiserver_flowcontrol_lower_limit_seats"][level], want["apiserver_flowcontrol_upper_limit_seats"][level]
				if current := float64(*row.CurrentLimitSeats); current < low || current > high {
					return fmt.Errorf("%s: current limit %v is not within %v and %v", row.Instance, current, low, high)
				}
				if *row.HeadroomSeats != *row.CurrentLimitSeats-*row.ExecutingSeats {
					return fmt.Errorf("%s: %d seats left of %d with %d taken", row.Instance, *row.HeadroomSeats, *row.CurrentLimitSeats, *row.ExecutingSeats)
				}
			}
			return nil
		})
	}
}

func gauges(t *testing.T, body []byte) map[string]map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]float64{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			for _, pair := range metric.GetLabel() {
				if pair.GetName() == "priority_level" && metric.GetGauge() != nil {
					if found[name] == nil {
						found[name] = map[string]float64{}
					}
					found[name][pair.GetValue()] = metric.GetGauge().GetValue()
				}
			}
		}
	}
	return found
}

// Both sources see the same cluster. Their windows end some seconds apart, and
// PromQL extends its counts to the bounds of the window.
func testSourcesAgree(t *testing.T) {
	for _, objective := range []string{mutating, readonlyResource, readonlyCluster} {
		eventually(t, window, "sources agree on "+objective, func() error {
			one, err := getReport(t, lab.slo, objective)
			if err != nil {
				return err
			}
			other, err := getReport(t, lab.viaPrometheus, objective)
			if err != nil {
				return err
			}
			if one.Status.Verdict != other.Status.Verdict {
				return fmt.Errorf("%s and %s", one.Status.Verdict, other.Status.Verdict)
			}
			a, b := float64(*one.Status.Requests), float64(*other.Status.Requests)
			apart := one.Status.ObservationTime.Sub(other.Status.ObservationTime.Time).Abs() + 2*interval
			if allowed := apart.Seconds() / window.Seconds() * math.Max(a, b); math.Abs(a-b) > allowed {
				return fmt.Errorf("%v and %v requests, %s apart", a, b, apart)
			}
			return nil
		})
	}
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
