// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// sharedTime is when the clusters of this file are read.
var sharedTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sharedSignals are one of each kind and component.
func sharedSignals() []sources.Signal {
	return []sources.Signal{
		{Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"shared_latency_seconds"}, Labels: []string{"verb"}},
		{Name: "rejected", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"shared_rejected_total"}},
		{Name: "seats", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"shared_seats"}, PerInstance: true, Samples: true},
		{Name: "starts", Component: sources.Kubelet, Kind: sources.Histogram, Metrics: []string{"shared_start_seconds"}},
	}
}

// sharedStore is a store of two clusters: its name, and the label that has theirs.
type sharedStore struct{ name, label string }

// sharedStores: in the first one the targets of both clusters have the same names.
var sharedStores = []sharedStore{{"equal", "cluster"}, {"apart", "cluster"}, {"named otherwise", "k8s_cluster_name"}}

// sharedCluster is a cluster whose figures are all multiples of its scale, and whose
// targets have the names in common with others, or names of their own.
func sharedCluster(store sharedStore, cluster, names string, scale float64) []prometheustest.Sample {
	var samples []prometheustest.Sample
	outside := fmt.Sprintf(`store=%q,%s=%q`, store.name, store.label, cluster)
	apiserver := outside + fmt.Sprintf(`,job="apiserver",instance="10.0.0.1%s:6443"`, names)
	kubelet := outside + fmt.Sprintf(`,job="kubelet",metrics_path="/metrics",instance="10.0.0.2%s:10250",node="node-1%s"`, names, names)
	for i := range 8 {
		at := sharedTime.Add(time.Duration(i-7) * time.Minute)
		add := func(series, target string, value float64) {
			samples = append(samples, prometheustest.Sample{Series: with(series, target), At: at, Value: value})
		}
		counted := scale * float64(i)
		for _, target := range []string{apiserver, kubelet} {
			add("up", target, 1)
			add("process_start_time_seconds", target, float64(sharedTime.Unix())-86400)
		}
		for _, le := range []string{"1", "+Inf"} {
			add(`shared_latency_seconds_bucket{verb="GET",le="`+le+`"}`, apiserver, 10*counted)
			add(`shared_start_seconds_bucket{le="`+le+`"}`, kubelet, counted)
		}
		// A key that appears within the window, with its first request.
		if i == 6 || i == 7 {
			add(`shared_latency_seconds_bucket{verb="PUT",le="+Inf"}`, apiserver, scale)
		}
		add(`shared_latency_seconds_sum{verb="GET"}`, apiserver, counted)
		add("shared_start_seconds_sum", kubelet, counted)
		add("shared_rejected_total", apiserver, 3*counted)
		add("shared_seats", apiserver, scale)
	}
	return samples
}

func sharedSource(t *testing.T, url string, match map[string]string) *prometheus.Source {
	t.Helper()
	client, err := prometheus.NewClient(prometheus.ClientConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	source, err := prometheus.New(prometheus.Config{Client: client, Signals: sharedSignals(), Match: match, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// testClusters reads stores that hold two clusters: those with a matcher get their
// own figures and no other's, and without one nothing is read.
func testClusters(t *testing.T, url string) {
	awkward := `prod "1"\,}`
	for _, store := range sharedStores {
		for cluster, scale := range map[string]float64{awkward: 1, "prod-eu": 1000} {
			t.Run(store.name+" "+cluster, func(t *testing.T) { testOwnCluster(t, url, store, cluster, scale) })
		}
		t.Run(store.name+" without a matcher", func(t *testing.T) {
			reading, err := sharedSource(t, url, map[string]string{"store": store.name}).Read(t.Context(), sharedTime, 5*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			for name, result := range reading.Results {
				if len(result.Series) > 0 {
					t.Errorf("%s was added up: %+v", name, result.Series)
				}
			}
			for _, i := range reading.Instances {
				if i.Observed || i.Problem != "one of several clusters" || i.Cause != sources.SeveralClusters {
					t.Errorf("got instance %+v", i)
				}
			}
			if warned := fmt.Sprint(reading.Warnings); strings.Count(warned, "--prometheus-match "+store.label+"=") != 2 {
				t.Errorf("got warnings %q, want one for each component", reading.Warnings)
			}
		})
	}
}

func testOwnCluster(t *testing.T, url string, store sharedStore, cluster string, scale float64) {
	source := sharedSource(t, url, map[string]string{"store": store.name, store.label: cluster})
	check := func(reading *sources.Reading) error {
		if len(reading.Instances) == 0 || len(reading.Warnings) > 0 {
			t.Errorf("got instances %+v, warnings %q", reading.Instances, reading.Warnings)
		}
		for name, result := range reading.Results {
			for _, series := range result.Series {
				got, want := series.Increase, map[string]float64{"latency": 50, "rejected": 15, "seats": 1, "starts": 5}[name]*scale
				switch {
				case series.Histogram != nil:
					got = series.Histogram.Count()
				case name == "seats":
					got = series.Max
					for _, sample := range series.Samples {
						if sample.Value != want {
							t.Errorf("%s has the sample %v, want %v", name, sample.Value, want)
						}
					}
				}
				if name == "latency" && series.Values[0] == "PUT" {
					want = scale
				}
				if got < want*0.999999 || got > want*1.000001 {
					t.Errorf("%s%q is %v, want %v", name, series.Values, got, want)
				}
			}
			if len(result.Series) == 0 {
				t.Errorf("%s has no series: %+v", name, result)
			}
		}
		return nil
	}
	reading, err := source.Read(t.Context(), sharedTime, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_ = check(reading)
	err = source.ReadHistory(t.Context(), sources.History{
		Signal: "starts", Bounds: []float64{1}, First: sharedTime, Last: sharedTime, Step: time.Minute, Window: 5 * time.Minute,
	}, check)
	if err != nil {
		t.Fatal(err)
	}
}

// sharedSamples are those of all stores.
func sharedSamples() []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i, store := range sharedStores {
		for j, cluster := range []string{`prod "1"\,}`, "prod-eu"} {
			names := ""
			if i > 0 {
				names = fmt.Sprint(j)
			}
			samples = append(samples, sharedCluster(store, cluster, names, []float64{1, 1000}[j])...)
		}
	}
	return samples
}
