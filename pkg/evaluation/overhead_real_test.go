// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"fmt"
	"math"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence/evidencetest"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// TestRealQueuesAndRejections pastes the expressions of both, with levels and reasons that
// are born in the window, and one without requests.
func TestRealQueuesAndRejections(t *testing.T) {
	begin := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	samples := queueSamples(begin)
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) {
			address := peer.Start(t, samples)
			client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
			if err != nil {
				t.Fatal(err)
			}
			source, err := prometheus.New(prometheus.Config{Client: client, Signals: apf.Signals()})
			if err != nil {
				t.Fatal(err)
			}
			compared := map[string]int{}
			for minute := 6.0; minute < 20; minute += 1.37 {
				reading, err := source.Read(t.Context(), begin.Add(time.Duration(minute*float64(time.Minute))), 5*time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				part := queuesEvidence(reading)
				part.Join(rejectionsEvidence(reading))
				report := &v1alpha1.SLOReport{Status: v1alpha1.SLOReportStatus{
					Overhead: &v1alpha1.Overhead{Queues: queues(reading)}, RejectedRequests: rejections(reading),
				}}
				e := &v1alpha1.Evidence{Figures: part.Figures}
				e.EvaluationTime.Time = reading.At
				pasted, _, err := evidencetest.Paste(address, e, evidencetest.OfReport(report))
				if err != nil {
					t.Error(err)
				}
				for figure, n := range pasted {
					compared[figure] += n
				}
			}
			t.Logf("figures that were compared: %v", compared)
			for figure, least := range map[string]int{
				"overhead.queues.requests": 15, "overhead.queues.milliseconds": 15, "overhead.queues.perRequestMilliseconds": 15,
				"rejectedRequests.byReason.requests": 10,
			} {
				if compared[figure] < least {
					t.Errorf("%s was compared %d times, want at least %d", figure, compared[figure], least)
				}
			}
		})
	}
}

// queueSamples of two kube-apiservers: low always has requests, high from the tenth
// minute on, and idle has none.
func queueSamples(begin time.Time) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i := range 2 {
		for minute := 0.1 * float64(i); minute < 20; minute += 0.5 {
			add := func(metric, labels string, value float64) {
				series := fmt.Sprintf(`%s{job="apiserver",instance="%d"%s}`, metric, i, labels)
				samples = append(samples, prometheustest.Sample{Series: series, At: begin.Add(time.Duration(minute * float64(time.Minute))), Value: value})
			}
			waited := func(level string, requests, each float64) {
				labels := fmt.Sprintf(`,priority_level=%q,flow_schema="all",execute="true"`, level)
				const metric = "apiserver_flowcontrol_request_wait_duration_seconds"
				add(metric+"_bucket", labels+`,le="1"`, requests)
				add(metric+"_bucket", labels+`,le="+Inf"`, requests)
				add(metric+"_sum", labels, requests*each)
			}
			add("process_start_time_seconds", "", float64(begin.Add(-time.Hour).Unix()+int64(i)))
			add("up", "", 1)
			add("apiserver_flowcontrol_dispatched_requests_total", `,priority_level="low",flow_schema="all"`, math.Floor(minute*31))
			waited("low", math.Floor(minute*31), 0.0371)
			waited("idle", 7, 0.1)
			if minute > 10 {
				waited("high", math.Floor(minute/3), 0.0003)
				add("apiserver_flowcontrol_rejected_requests_total", `,priority_level="low",flow_schema="all",reason="queue-full"`, math.Floor(minute/5))
				add("apiserver_flowcontrol_rejected_requests_total", `,priority_level="high",flow_schema="all",reason="time-out"`, math.Floor(minute*7))
			}
		}
	}
	return samples
}
