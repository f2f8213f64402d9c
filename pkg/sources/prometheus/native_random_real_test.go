// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

const (
	randomCases  = 120 // of each layout
	randomGroups = 12
)

// randomLayouts are kinds of native histograms, by metric.
var randomLayouts = map[string]func(random *rand.Rand) *prometheustest.Native{
	"exponential": func(random *rand.Rand) *prometheustest.Native {
		return &prometheustest.Native{Schema: int32(random.IntN(12) - 3), ZeroThreshold: 0x1p-9}
	},
	// Bounds that may be custom ones, which the engine has to be asked for.
	"coarse": func(*rand.Rand) *prometheustest.Native { return &prometheustest.Native{Schema: 0} },
	"whole": func(*rand.Rand) *prometheustest.Native {
		return &prometheustest.Native{Bounds: []float64{0.5, 1, 2, 4, 8}}
	},
	"custom": func(*rand.Rand) *prometheustest.Native {
		return &prometheustest.Native{Bounds: []float64{0, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60}}
	},
}

// grow a histogram by random observations; those of "whole" are neither in the first
// nor in the last bucket, which would tell.
func grow(random *rand.Rand, metric string, n *prometheustest.Native) {
	for range random.IntN(6) {
		count := int64(1 + random.ExpFloat64()*math.Pow(10, float64(random.IntN(5))))
		switch {
		case metric == "whole":
			n.Buckets[1+random.IntN(len(n.Bounds)-1)] += count
		case n.Bounds != nil:
			n.Buckets[random.IntN(len(n.Bounds)+1)] += count
		case metric == "exponential" && random.IntN(8) == 0:
			n.Zero += count
		case metric == "exponential" && random.IntN(40) == 0:
			n.Negative[int(math.Ceil(random.NormFloat64()*math.Exp2(float64(n.Schema))))] += count
		default: // from some milliseconds to a minute
			n.Buckets[int(math.Ceil((random.Float64()*14-8)*math.Exp2(float64(n.Schema))))] += count
		}
	}
}

// randomNatives are of two instances, of which not all have the same resolution.
func randomNatives(at time.Time) []prometheustest.Sample {
	random := rand.New(rand.NewPCG(23, 1))
	var samples []prometheustest.Sample
	for instance := range 2 {
		target := fmt.Sprintf(`{job="apiserver",instance="%d"`, instance)
		for age := 6 * time.Minute; age >= 0; age -= 30 * time.Second {
			samples = append(samples, prometheustest.Sample{Series: "process_start_time_seconds" + target + "}", At: at.Add(-age), Value: float64(at.Add(-time.Hour).Unix())})
		}
		for _, metric := range slices.Sorted(maps.Keys(randomLayouts)) {
			for i := range randomCases {
				series := fmt.Sprintf(`%s%s,case="%d",group="%d"}`, metric, target, i, i%randomGroups)
				samples = append(samples, randomSeries(random, metric, series, at)...)
			}
		}
	}
	return samples
}

func randomSeries(random *rand.Rand, metric, series string, at time.Time) []prometheustest.Sample {
	n := randomLayouts[metric](random)
	n.Buckets, n.Negative = map[int]int64{}, map[int]int64{}
	var samples []prometheustest.Sample
	for age := 6 * time.Minute; age >= 0; age -= 30 * time.Second {
		if random.IntN(3) == 0 {
			grow(random, metric, n)
		}
		now := *n
		now.Buckets, now.Negative = maps.Clone(n.Buckets), maps.Clone(n.Negative)
		samples = append(samples, prometheustest.Sample{Series: series, At: at.Add(-age), Native: &now})
	}
	return samples
}

// TestRealNativeArithmetic compares what is made of random native histograms with
// histogram_count, histogram_fraction and histogram_quantile of a real Prometheus 3.
func TestRealNativeArithmetic(t *testing.T) {
	t.Parallel()
	address := prometheustest.Prometheus3.Start(t, randomNatives(quantileTime))
	client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	var signals []sources.Signal
	for _, metric := range slices.Sorted(maps.Keys(randomLayouts)) {
		signals = append(signals, sources.Signal{Name: metric, Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{metric}, Labels: []string{"case", "group"}})
	}
	source, err := prometheus.New(prometheus.Config{Client: client, Signals: signals})
	if err != nil {
		t.Fatal(err)
	}
	reading, err := source.Read(t.Context(), quantileTime, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for metric := range randomLayouts {
		t.Run(metric, func(t *testing.T) {
			byCase, byGroup := map[string]*sources.Buckets{}, map[string]*sources.Buckets{}
			for _, s := range reading.Results[metric].Series {
				group := s.Values[1]
				byCase[s.Values[0]] = s.Histogram
				if byGroup[group] == nil {
					byGroup[group] = s.Histogram
				} else {
					byGroup[group] = byGroup[group].Add(s.Histogram)
				}
				if custom := metric == "custom" || metric == "whole"; !s.Histogram.Native || s.Histogram.Custom != custom {
					t.Errorf("case %s: %+v", s.Values[0], s.Histogram)
				}
			}
			if len(byCase) != randomCases || len(byGroup) != randomGroups {
				t.Fatalf("%d cases and %d groups: %+v", len(byCase), len(byGroup), reading.Results[metric].Warnings)
			}
			compareNative(t, address, "sum by (case) (increase("+metric+"[5m]))", byCase)
			compareNative(t, address, `label_replace(sum by (group) (increase(`+metric+`[5m])),"case","$1","group","(.*)")`, byGroup)
		})
	}
}

// compareNative compares histograms with those of an expression, by the label case.
func compareNative(t *testing.T, address, promql string, histograms map[string]*sources.Buckets) {
	t.Helper()
	check := func(what, function string, of func(*sources.Buckets) float64, tolerance func(want float64, b *sources.Buckets) float64) {
		t.Helper()
		values := ask(t, address, function)
		if len(values) != len(histograms) {
			t.Fatalf("%s: %d answers, want %d", function, len(values), len(histograms))
		}
		for name, want := range values {
			b := histograms[name]
			if got := of(b); got != want && !(math.IsNaN(got) && math.IsNaN(want)) && !(math.Abs(got-want) <= tolerance(want, b)) {
				t.Errorf("%s of case %s is %v, and %s has %v: %+v", what, name, got, promql, want, b)
			}
		}
	}
	ofCount := func(_ float64, b *sources.Buckets) float64 { return 1e-12 * b.Count() }
	check("the count", "histogram_count("+promql+")", (*sources.Buckets).Count, ofCount)
	for _, bound := range []float64{0.001, 0.0078, 0.05, 0.1, 1, 2, 5, 30, 70} {
		text := strconv.FormatFloat(bound, 'g', -1, 64)
		check("what is within "+text, "histogram_fraction(-Inf, "+text+", "+promql+") * histogram_count("+promql+")",
			func(b *sources.Buckets) float64 {
				if b.Count() == 0 {
					return math.NaN() // a share of none
				}
				return b.Interpolated(bound)
			}, ofCount)
	}
	for _, q := range []float64{-1, 0.001, 0.25, 0.4999, 0.5 - 1e-9, 0.9 - 1e-9, 0.99 - 1e-9, 0.9999, 2} {
		text := strconv.FormatFloat(q, 'f', -1, 64)
		check("quantile "+text, "histogram_quantile("+text+", "+promql+")", func(b *sources.Buckets) float64 { return b.Quantile(q) },
			func(want float64, _ *sources.Buckets) float64 { return 1e-8 * math.Abs(want) })
	}
}
