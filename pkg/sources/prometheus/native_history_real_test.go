// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// exponential is what client_golang makes of the counts with the factor 1.1, as
// Kubernetes has it (k8s.io/component-base/metrics, opts.go).
func exponential(k pastKey, fast, slow int) *prometheustest.Native {
	const schema = 3
	index := func(seconds float64) int { return int(math.Ceil(math.Log2(seconds) * (1 << schema))) }
	n := &prometheustest.Native{Schema: schema, Sum: float64(fast) * 0.1, Buckets: map[int]int64{}}
	n.Buckets[index(0.1)] += int64(fast)
	n.Buckets[index(0.95*k.slowFrom)] += int64(slow)
	return n
}

// between is the same where slow ones are in the bucket that holds the threshold.
func between(k pastKey, fast, slow int) *prometheustest.Native {
	n := exponential(k, fast, 0)
	threshold := map[float64]float64{2: 1.01, 45: 30, 10: 5}[k.slowFrom]
	n.Buckets[int(math.Ceil(math.Log2(threshold)*8))] += int64(slow)
	return n
}

// custom is what Prometheus makes of the classic histogram of the counts with
// convert_classic_histograms_to_nhcb.
func custom(k pastKey, fast, slow int) *prometheustest.Native {
	index := func(seconds float64) int {
		i, _ := slices.BinarySearch(k.bounds, seconds)
		return i
	}
	n := &prometheustest.Native{Bounds: k.bounds, Sum: float64(fast) * 0.1, Buckets: map[int]int64{}}
	n.Buckets[index(0.1)] += int64(fast)
	n.Buckets[index(k.slowFrom)] += int64(slow)
	return n
}

// upgraded has native histograms of those whose job is said to have them, and of the
// third instance once it has restarted.
func upgraded(p *pastProcess) {
	if strings.Contains(p.labels, `instance="b"`) || strings.Contains(p.labels, `node="2"`) || p.started > 0 {
		p.native = exponential
	}
}

// TestRealNativeHistory judges histories of which Prometheus has native histograms,
// with the bounds that client_golang or somebody gave them, and of an upgrade, minute
// by minute: the figures are those of classic ones, and the past is as it was live.
func TestRealNativeHistory(t *testing.T) {
	t.Parallel()
	samples := pastSamples("classic", 7)
	for scenario, change := range map[string]func(*pastProcess){
		"exponential": func(p *pastProcess) { p.native = exponential },
		"custom":      func(p *pastProcess) { p.native = custom },
		"upgrade":     upgraded,
		"between":     func(p *pastProcess) { p.native = between },
	} {
		samples = append(samples, pastSamplesOf(scenario, 7, change)...)
	}
	b := backend{prometheustest.Prometheus3, prometheustest.Prometheus3.Start(t, samples)}
	t.Run("between", func(t *testing.T) {
		live, _ := compareOfficial(t, b, "between")
		if verdict := live[" 13 api-latency-readonly-cluster"]; !strings.HasPrefix(verdict, "Unknown:") {
			t.Errorf("lists in the bucket of the threshold are %s", verdict)
		}
		compareNativePast(t, b, "between")
	})
	classic, _ := compareOfficial(t, b, "classic")
	for _, scenario := range []string{"exponential", "custom", "upgrade"} {
		t.Run(scenario, func(t *testing.T) {
			live, sent := compareOfficial(t, b, scenario)
			wantAll(t, live)
			compareNativePast(t, b, scenario)
			t.Logf("%d queries", len(sent.queries))
			for at, want := range classic {
				if live[at] != want {
					t.Errorf("%s is %q, and of classic histograms %q", at, live[at], want)
				}
			}
		})
	}
}

// compareNativePast compares the native histograms of a history with those that are
// read live: equal verdicts do not show that figures are.
func compareNativePast(t *testing.T, b backend, scenario string) {
	t.Helper()
	natives := func(reading *sources.Reading) []sources.Series {
		return slices.DeleteFunc(slices.Clone(reading.Results[slo.SignalRequestLatency].Series), func(s sources.Series) bool { return !s.Histogram.Native })
	}
	source := pastSource(t, prometheus.ClientConfig{URL: b.url}, scenario, pastSignals())
	compared := 0
	err := source.ReadHistory(t.Context(), sources.History{
		Signal: slo.SignalRequestLatency, Bounds: []float64{1, 30}, Step: 7 * time.Minute, Window: slo.DefaultWindow,
		First: pastMinute(40), Last: pastMinute(pastMinutes - 1),
	}, func(past *sources.Reading) error {
		live, err := source.Read(t.Context(), past.At, slo.DefaultWindow)
		if err != nil {
			return err
		}
		compared += len(natives(past))
		if diff := cmp.Diff(natives(live), natives(past), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("at minute %v (-live +past):\n%s", past.At.Sub(pastStart).Minutes(), diff)
		}
		return nil
	})
	if err != nil || compared < 100 {
		t.Errorf("%d native histograms were compared: %v", compared, err)
	}
}
