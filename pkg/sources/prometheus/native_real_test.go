// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// TestRealNativeHistogram reads a histogram of which Prometheus has the native one only:
// 990 observations of at most 1 s and ten in the bucket that holds 5 s, on each of two
// instances with another resolution.
func TestRealNativeHistogram(t *testing.T) {
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	var samples []prometheustest.Sample
	for age := 6 * time.Minute; age >= 0; age -= 15 * time.Second {
		n := int64((6*time.Minute - age) / (15 * time.Second))
		for i, schema := range []int32{3, 2} {
			labels := fmt.Sprintf(`{job="apiserver",instance="%d"`, i)
			per := 1 << schema // buckets to a power of two
			five := int(math.Ceil(math.Log2(5) * float64(per)))
			samples = append(samples,
				prometheustest.Sample{Series: "process_start_time_seconds" + labels + "}", At: at.Add(-age), Value: float64(at.Add(-time.Hour).Unix() + int64(i))},
				prometheustest.Sample{Series: "latency" + labels + `,verb="LIST"}`, At: at.Add(-age),
					Native: &prometheustest.Native{Schema: schema, Sum: float64(n), Buckets: map[int]int64{0: 990 * n, five: 10 * n}}})
		}
	}
	address := prometheustest.Prometheus3.Start(t, samples)
	client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	source, err := prometheus.New(prometheus.Config{Client: client, Signals: []sources.Signal{{
		Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"latency"}, Labels: []string{"verb"}, Everywhere: true,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	reading, err := source.Read(t.Context(), at, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	result := reading.Results["latency"]
	if len(result.Series) != 1 || len(result.Missing) > 0 || !slices.Equal(result.Metrics, []string{"latency"}) ||
		len(result.Warnings) != 1 || result.Warnings[0].Reason != sources.NativeHistogram {
		t.Fatalf("got %+v", result)
	}
	if len(result.Queries) == 0 || result.Expressions == nil {
		t.Errorf("queries %q, expressions %v", result.Queries, result.Expressions)
	}
	h := result.Series[0].Histogram
	if count := h.Count(); math.Abs(count-40_000) > 40 || !h.Native {
		t.Errorf("%g observations, native %t; want 40000 in 20 intervals", count, h.Native)
	}
	if fast, known := h.AtMost(1); !known || math.Abs(fast-0.99*h.Count()) > 1 {
		t.Errorf("%g (known: %t) of %g within 1s, want 99%%", fast, known, h.Count())
	}
	if fast, known := h.AtMost(5); known {
		t.Errorf("%g within 5s, which is no bound", fast)
	}
	if fast := h.Interpolated(5); fast < 0.99*h.Count() || fast > h.Count() {
		t.Errorf("%g within 5s", fast)
	}
}
