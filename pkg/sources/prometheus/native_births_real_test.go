// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

var birthsAt = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

const birthsInterval = 15 // seconds

// counted is a histogram that is scraped between two ages, in seconds: how many fast
// and slow observations it has at first, and how many fast ones more in each interval.
type counted struct {
	instance, verb    string
	from, to          int
	fast, slow, grows int64
	classic           bool
}

func (c counted) samples() []prometheustest.Sample {
	var samples []prometheustest.Sample
	fast := c.fast
	for age := c.from; age >= c.to; age -= birthsInterval {
		at := birthsAt.Add(-time.Duration(age) * time.Second)
		labels := fmt.Sprintf(`{job="apiserver",instance=%q,verb=%q`, c.instance, c.verb)
		if c.classic {
			for le, count := range map[string]int64{"1": fast, "5": fast + c.slow, "+Inf": fast + c.slow} {
				samples = append(samples, prometheustest.Sample{Series: fmt.Sprintf(`latency_bucket%s,le=%q}`, labels, le), At: at, Value: float64(count)})
			}
		} else {
			samples = append(samples, prometheustest.Sample{Series: "latency" + labels + "}", At: at,
				Native: &prometheustest.Native{Schema: 3, Buckets: map[int]int64{0: fast, 8: c.slow}, Sum: float64(fast)}})
		}
		fast += c.grows
	}
	if c.classic { // which a scrape ends
		labels := fmt.Sprintf(`{job="apiserver",instance=%q,verb=%q,le="+Inf"}`, c.instance, c.verb)
		at := birthsAt.Add(time.Duration(birthsInterval-c.to) * time.Second)
		samples = append(samples, prometheustest.Sample{Series: "latency_bucket" + labels, At: at, Value: prometheustest.Stale()})
	}
	return samples
}

// birthsSamples are of instances that were scraped for eight minutes, but for the one
// that is new, and started an hour ago or at the age that is given.
func birthsSamples() []prometheustest.Sample {
	var samples []prometheustest.Sample
	restarts := map[string]int{"old": 0, "restarted": 65, "new": 0, "switched": 0, "both": 0, "upgraded": 125}
	for i, instance := range slices.Sorted(maps.Keys(restarts)) {
		restarted := restarts[instance]
		for age := 480; age >= 0; age -= birthsInterval {
			started := birthsAt.Add(-time.Hour - time.Duration(i)*time.Minute)
			if age < restarted {
				started = birthsAt.Add(-time.Duration(restarted) * time.Second)
			}
			if instance != "new" || age <= 120 {
				samples = append(samples, prometheustest.Sample{Series: fmt.Sprintf(`process_start_time_seconds{job="apiserver",instance=%q}`, instance),
					At: birthsAt.Add(-time.Duration(age) * time.Second), Value: float64(started.Unix())})
			}
		}
	}
	for _, c := range []counted{
		{instance: "old", verb: "GET", from: 480, fast: 7000, grows: 10},
		{instance: "old", verb: "POST", from: 120, slow: 1, grows: 3},
		{instance: "old", verb: "PATCH", slow: 1},
		{instance: "restarted", verb: "GET", from: 480, to: 75, fast: 7000, grows: 10},
		{instance: "restarted", verb: "GET", from: 60, fast: 1, grows: 10},
		{instance: "restarted", verb: "PUT", from: 180, to: 75, slow: 5, grows: 10},
		{instance: "restarted", verb: "PUT", from: 60, fast: 1, grows: 1},
		{instance: "restarted", verb: "POST", from: 45, slow: 2, grows: 1},
		{instance: "new", verb: "GET", from: 120, fast: 7000, grows: 10},
		{instance: "switched", verb: "GET", from: 480, to: 135, fast: 7000, grows: 10, classic: true},
		{instance: "switched", verb: "GET", from: 120, fast: 7240, slow: 9, grows: 10},
		{instance: "both", verb: "GET", from: 480, to: 135, fast: 7000, grows: 10, classic: true},
		{instance: "both", verb: "GET", from: 480, fast: 7000, slow: 9, grows: 10},
		{instance: "upgraded", verb: "GET", from: 480, to: 135, fast: 7000, grows: 10, classic: true},
		{instance: "upgraded", verb: "GET", from: 120, fast: 3, slow: 1, grows: 10},
	} {
		samples = append(samples, c.samples()...)
	}
	return samples
}

// TestRealNativeBirths reads native histograms that were born within the window, and
// others that only look as if they were. A slow request that was the first of its kind
// is in the figures, and nothing is twice.
func TestRealNativeBirths(t *testing.T) {
	address := prometheustest.Prometheus3.Start(t, birthsSamples())
	client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	signal := sources.Signal{Name: "everywhere", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"latency"},
		Labels: []string{"verb"}, PerInstance: true, Everywhere: true}
	somewhere := signal
	somewhere.Name, somewhere.Everywhere = "somewhere", false
	source, err := prometheus.New(prometheus.Config{Client: client, Signals: []sources.Signal{signal, somewhere}})
	if err != nil {
		t.Fatal(err)
	}
	reading, err := source.Read(t.Context(), birthsAt, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	type figures struct{ count, fast float64 }
	want := map[string]figures{
		"both GET native":      {200, 200},
		"new GET native":       {85, 85}, // since its first sample, and half an interval before
		"old GET native":       {200, 200},
		"old PATCH native":     {1, 0},
		"old POST native":      {25, 24},
		"restarted GET native": {181 * 20 / 19.0, 181 * 20 / 19.0}, // 14 intervals of ten, and 41 since
		// It had 5 slow ones before its first sample, and then another process took its place.
		"restarted PUT native":  {75 * 187.5 / 180, 75 * 187.5 / 180},
		"restarted POST native": {5, 3},
		"switched GET classic":  {100 * 172.5 / 150, 100 * 172.5 / 150},
		"switched GET native":   {85, 85},
		"upgraded GET classic":  {110, 110}, // up to its last sample, since it restarted
		"upgraded GET native":   {84, 83},
	}
	for name, result := range reading.Results {
		got := map[string]figures{}
		for _, s := range result.Series {
			kind := "classic"
			if s.Histogram.Native {
				kind = "native"
			}
			fast, known := s.Histogram.AtMost(1)
			if !known {
				t.Errorf("%s: %+v has no bound of 1s", name, s.Histogram)
			}
			got[fmt.Sprintf("%s %s %s", s.Instance, s.Values[0], kind)] = figures{s.Histogram.Count(), fast}
		}
		for key, w := range want {
			if g, read := got[key]; !read || math.Abs(g.count-w.count) > 1e-9*w.count || math.Abs(g.fast-w.fast) > 1e-9*w.count {
				t.Errorf("%s: %s is %v (read: %t), want %v", name, key, g, read, w)
			}
		}
		if len(got) != len(want) || len(result.Missing) > 0 {
			t.Errorf("%s: got %v, missing %v", name, got, result.Missing)
		}
		warned := slices.ContainsFunc(result.Warnings, func(w sources.Warning) bool {
			return w.Reason == sources.NativeHistogram && w.Message == "latency is read from native histograms"
		})
		if !warned {
			t.Errorf("%s: warnings %+v", name, result.Warnings)
		}
	}
	if len(reading.Warnings) > 0 {
		t.Errorf("warnings %+v", reading.Warnings)
	}
}
