// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// TestRealNow reads what was scraped just now: some backends hold the newest samples
// back, of some queries and not of others.
func TestRealNow(t *testing.T) {
	const target = `{scenario="now",job="apiserver",instance="a"}`
	end := time.Now().Truncate(time.Millisecond)
	signals := []sources.Signal{
		{Name: "seats", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"seats"}, PerInstance: true, Samples: true},
		{Name: "requests", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"requests_total"}},
	}
	var samples []prometheustest.Sample
	const step, count = 5 * time.Second, 90
	for i := range count {
		at := end.Add(-time.Duration(count-1-i) * step)
		for series, value := range map[string]float64{"up": 1, "process_start_time_seconds": float64(end.Unix() - 86400), "seats": float64(i), "requests_total": float64(i)} {
			samples = append(samples, prometheustest.Sample{Series: series + target, At: at, Value: value})
		}
	}
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) {
			b := backend{peer, peer.Start(t, samples)}
			source := open(t, b, conformance.Scenario{Name: "now", Signals: signals})
			if err := source.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			reading, err := source.Read(t.Context(), end, 5*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			seats, requests := reading.Results["seats"].Series, reading.Results["requests"].Series
			if len(reading.Instances) != 1 || len(seats) != 1 || len(requests) != 1 || len(seats[0].Samples) == 0 {
				t.Fatalf("got %+v", reading)
			}
			newest := seats[0].Samples[len(seats[0].Samples)-1]
			if i := reading.Instances[0]; !i.Last.Equal(end) || seats[0].Last != count-1 || newest.Value != count-1 || !newest.Time.Equal(end) {
				t.Errorf("last %s, newest value %v, newest sample %v: want %s and %d", i.Last, seats[0].Last, newest, end, count-1)
			}
			if got := requests[0].Increase; got < 59.9 || got > 60.1 {
				t.Errorf("increase %v, want 60", got)
			}
		})
	}
}
