// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"
	"testing"
	"time"

	fcmetrics "k8s.io/apiserver/pkg/util/flowcontrol/metrics"
	"k8s.io/component-base/metrics"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

func TestSeatUtilization(t *testing.T) {
	const second = 1e9
	inf := math.Inf(1)
	tests := []struct {
		name    string
		buckets *sources.Buckets
		want    string
	}{
		{"absent", nil, "- from -"},
		{"no time passed", &sources.Buckets{Bounds: []float64{0, inf}, Counts: []float64{0, 0}}, "- from -"},
		{"no last bucket", &sources.Buckets{Bounds: []float64{0, 1}, Counts: []float64{second, second}}, "- from -"},
		{"no counts", &sources.Buckets{Bounds: []float64{0, inf}, Counts: []float64{math.NaN(), math.NaN()}}, "- from -"},
		{"idle", &sources.Buckets{Bounds: []float64{0, 0.99, 1, inf}, Counts: []float64{second, second, second, second}, Sum: 0},
			"average=0 peak=(0,0] saturated=0ms from SeatUtilization"},
		{"full for a quarter", &sources.Buckets{Bounds: []float64{0, 0.5, 0.99, 1, inf}, Counts: []float64{second, 3 * second, 3 * second, 4 * second, 4 * second}, Sum: 1.5 * second},
			"average=0.375 peak=(0.99,1] saturated=1000ms from SeatUtilization"},
		{"over the limit", &sources.Buckets{Bounds: []float64{0, 0.99, 1, inf}, Counts: []float64{0, 0, 0, second}, Sum: 2 * second},
			"average=2 peak=(1,-] saturated=1000ms from SeatUtilization"},
		{"less than a millisecond at the top", &sources.Buckets{Bounds: []float64{0, 0.5, 1, inf}, Counts: []float64{second, 2 * second, 2*second + 5e5, 2*second + 5e5}, Sum: second / 2},
			"average=0.249938 peak=(0,0.5] saturated=-ms from SeatUtilization"},
		{"sum unknown", &sources.Buckets{Bounds: []float64{0.99, 1, inf}, Counts: []float64{second, second, second}, Sum: math.NaN()},
			"average=- peak=(0,0.99] saturated=0ms from SeatUtilization"},
		{"no share of a limit of 0", &sources.Buckets{Bounds: []float64{0.99, 1, inf}, Counts: []float64{0, 0, second}, Sum: math.NaN()}, "- from -"},
		{"no share in part", &sources.Buckets{Bounds: []float64{0.99, 1, inf}, Counts: []float64{second, second, 2 * second}, Sum: math.NaN()}, "- from -"},
	}
	for _, test := range tests {
		s := &v1alpha1.InstanceSeats{Utilization: seatUtilization(test.buckets)}
		if s.Utilization != nil {
			s.PeakSource = v1alpha1.PeakSourceSeatUtilization
		}
		if got := renderUse(s); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// What the histogram of a kube-apiserver makes of an idle level whose limit is 0, where
// the limit is the denominator (queueset.go, up to 1.27: SetDenominator of
// ConcurrencyLimit): it is not full for five minutes.
func TestUtilizationOfALentLevelBefore128(t *testing.T) {
	now := time.Unix(1000, 0)
	vec := fcmetrics.NewTestableTimingRatioHistogramVec(func() time.Time { return now }, &metrics.TimingHistogramOpts{
		Name: "seat_utilization", Buckets: []float64{0, 0.5, 0.99, 1}, StabilityLevel: metrics.ALPHA,
	}, "priority_level")
	registry := metrics.NewKubeRegistry()
	registry.MustRegister(vec)
	gauge := vec.NewForLabelValuesSafe(0, 1, []string{"lent"})
	gauge.SetDenominator(0)
	now = now.Add(5 * time.Minute)
	gauge.Set(0)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%d families, %v", len(families), err)
	}
	h := families[0].GetMetric()[0].GetHistogram()
	b := &sources.Buckets{Sum: h.GetSampleSum()}
	for _, bucket := range h.GetBucket() {
		b.Bounds, b.Counts = append(b.Bounds, bucket.GetUpperBound()), append(b.Counts, float64(bucket.GetCumulativeCount()))
	}
	b.Bounds, b.Counts = append(b.Bounds, math.Inf(1)), append(b.Counts, float64(h.GetSampleCount()))
	if u := seatUtilization(b); beyond(b) < 299e9 || u != nil {
		t.Errorf("use of an idle level: %+v, of %v with the sum %v", u, b.Counts, b.Sum)
	}
}

func TestRatio(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", 0.5: "0.5", 1. / 3: "0.333333", 0.99: "0.99", 10: "10", 1e-9: "0", -1: "", math.Inf(1): "",
	} {
		if got := ratio(v); got != want {
			t.Errorf("%g: got %q, want %q", v, got, want)
		}
	}
	if got := ratio(math.NaN()); got != "" {
		t.Errorf("NaN: got %q", got)
	}
}
