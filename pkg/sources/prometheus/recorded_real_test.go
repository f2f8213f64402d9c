// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence/evidencetest"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// recordedSamples are of a store that was given recorded series alone, beside what tells
// of targets: 600 PATCHes and 1200 PUTs in five minutes on each of two instances, of
// which so many were over a second. One of them has the histogram, too, where beside is
// true, with half of the requests.
func recordedSamples(slow float64, beside bool) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for age := 10 * time.Minute; age >= 0; age -= 30 * time.Second {
		for i := range 2 {
			add := func(metric, labels string, value float64) {
				series := fmt.Sprintf(`%s{job="apiserver",instance="10.0.0.%d:6443"%s}`, metric, i+1, labels)
				samples = append(samples, prometheustest.Sample{Series: series, At: pastStart.Add(-age), Value: value})
			}
			add("up", "", 1)
			add("process_start_time_seconds", "", float64(pastStart.Add(-time.Hour).Unix()+int64(10*i)))
			add("kubernetes_build_info", `,git_version="v1.36.3"`, 1)
			add("apiserver_request_total", `,component="apiserver",group="",resource="pods",verb="GET",scope="resource",code="200"`, 1e4-age.Seconds())
			for verb, requests := range map[string]float64{"PATCH": 600, "PUT": 1200} {
				labels := fmt.Sprintf(`,component="apiserver",group="",resource="pods",subresource="",verb=%q,scope="resource",version="v1"`, verb)
				within := map[string]float64{"0.1": 0, "1": requests - slow, "2": requests, "+Inf": requests}
				for le, n := range within {
					add("apiserver:request_latency:rate5m", labels+fmt.Sprintf(`,le=%q`, le), n/300)
					if beside && i == 0 {
						add("apiserver_request_sli_duration_seconds_bucket", labels+fmt.Sprintf(`,le=%q`, le), 1e6+n/300/2*(600-age.Seconds()))
					}
				}
			}
		}
	}
	return samples
}

// TestRealRecordedRates reads the rule of clusterloader2 where there is nothing else: its
// figures are served and can be asked for again, a violation stands, and nothing is met.
func TestRealRecordedRates(t *testing.T) {
	t.Parallel()
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) {
			for _, c := range []struct {
				name             string
				slow             float64
				beside           bool
				window           time.Duration
				verdict          v1alpha1.Verdict
				reason           string
				requests, slowly int64
				metrics          []string
			}{
				{"good", 0, false, 5 * time.Minute, v1alpha1.VerdictUnknown, string(sources.RecordedRate), 3600, 0, []string{"apiserver:request_latency:rate5m"}},
				{"slow", 30, false, 5 * time.Minute, v1alpha1.VerdictViolated, slo.ReasonKeysViolated, 3600, 120, []string{"apiserver:request_latency:rate5m"}},
				// An instance that has the histogram is read from that.
				{"beside", 0, true, 5 * time.Minute, v1alpha1.VerdictUnknown, string(sources.RecordedRate), 2700, 0,
					[]string{"apiserver_request_sli_duration_seconds", "apiserver:request_latency:rate5m"}},
				// Of another window the rule says nothing.
				{"window", 0, false, 4 * time.Minute, v1alpha1.VerdictUnknown, slo.ReasonMetricMissing, 0, 0, nil},
			} {
				t.Run(c.name, func(t *testing.T) {
					address := peer.Start(t, recordedSamples(c.slow, c.beside))
					report := recordedReport(t, address, c.window)
					status := report.Status
					reason, message := "", ""
					for _, condition := range status.Conditions {
						if condition.Type == v1alpha1.ConditionMet {
							reason, message = condition.Reason, condition.Message
						}
					}
					if status.Verdict != c.verdict || reason != c.reason {
						t.Errorf("%s for %s (%s), want %s for %s", status.Verdict, reason, message, c.verdict, c.reason)
					}
					if !slices.Equal(status.Evidence.Signals[0].Metrics, c.metrics) {
						t.Errorf("read from %q, want %q", status.Evidence.Signals[0].Metrics, c.metrics)
					}
					if c.metrics == nil {
						return
					}
					if status.Requests == nil || *status.Requests != c.requests || status.SlowRequests == nil || *status.SlowRequests != c.slowly {
						t.Errorf("%s requests, %s slow; want %d and %d", text(status.Requests), text(status.SlowRequests), c.requests, c.slowly)
					}
					pasted := map[string]int{}
					paste(t, address, report.Name, status.Evidence, evidencetest.OfReport(report), pasted)
					if pasted["requests"] == 0 || pasted["slowRequests"] == 0 {
						t.Errorf("pasted were %v", pasted)
					}
					if strings.Contains(c.reason, "Recorded") && !strings.Contains(message, "keep that in the store") {
						t.Errorf("no remedy in %q", message)
					}
				})
			}
		})
	}
}

func recordedReport(t *testing.T, address string, window time.Duration) *v1alpha1.SLOReport {
	t.Helper()
	client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	source, err := prometheus.New(prometheus.Config{Client: client, Signals: slo.Signals(), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	reading, err := source.Read(t.Context(), pastStart, window)
	if err != nil {
		t.Fatal(err)
	}
	objectives, err := slo.Catalog(window, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	reports := slo.Evaluate(objectives, reading, slo.NewResources(nil, nil), slo.Options{})
	i := slices.IndexFunc(reports, func(r v1alpha1.SLOReport) bool { return r.Name == slo.APILatencyMutating })
	return &reports[i]
}

func text(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return fmt.Sprint(*n)
}
