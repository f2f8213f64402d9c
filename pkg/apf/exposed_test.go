// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"
	"strconv"
	"testing"
	"time"

	"k8s.io/apiserver/pkg/util/flowcontrol/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"example.io/slo-apiserver/pkg/sources"
)

// The histogram of a kube-apiserver itself, as it is exposed: its counts are
// nanoseconds, its buckets tell a full level, and its limit moves.
func TestUtilizationAsExposed(t *testing.T) {
	metrics.Register()
	const name = "a-level-of-this-test"
	seats := metrics.PriorityLevelExecutionSeatsGaugeVec.NewForLabelValuesSafe(0, 10, []string{name})
	start := time.Now()
	before := exposed(t, name)

	const each = 50 * time.Millisecond
	seats.Set(10) // all of ten
	time.Sleep(each)
	seats.SetDenominator(40) // a quarter of forty
	time.Sleep(each)
	seats.Set(0)
	time.Sleep(each)

	after, most := exposed(t, name), time.Since(start)
	for i := range after.Counts {
		after.Counts[i] -= before.Counts[i]
	}
	after.Sum -= before.Sum
	if got := time.Duration(after.Count()); got < 3*each || got > most {
		t.Errorf("observations of %s, in %s to %s", got, 3*each, most)
	}
	u := seatUtilization(after)
	if u.PeakOver != "0.99" || u.PeakUpTo != "1" {
		t.Errorf("peak over %s, up to %s", u.PeakOver, u.PeakUpTo)
	}
	if full := *u.SaturatedMilliseconds; full < each.Milliseconds() || full > (most-2*each).Milliseconds()+1 {
		t.Errorf("full for %d ms", full)
	}
	full, quarter := after.Counts[len(after.Counts)-2]-at(t, after, 0.99), at(t, after, 0.3)-at(t, after, 0.2)
	if average, err := strconv.ParseFloat(u.Average, 64); err != nil || math.Abs(average-(full+quarter/4)/after.Count()) > 1e-6 {
		t.Errorf("average %s of %v", u.Average, after)
	}
}

func at(t *testing.T, b *sources.Buckets, bound float64) float64 {
	t.Helper()
	n, known := b.AtMost(bound)
	if !known {
		t.Fatalf("no bucket %g", bound)
	}
	return n
}

// exposed reads the histogram of a level as a scrape does.
func exposed(t *testing.T, level string) *sources.Buckets {
	t.Helper()
	families, err := legacyregistry.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != declared(utilization).Metrics[0] {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() != "priority_level" || label.GetValue() != level {
					continue
				}
				h := metric.GetHistogram()
				b := &sources.Buckets{Sum: h.GetSampleSum()}
				for _, bucket := range h.GetBucket() {
					b.Bounds = append(b.Bounds, bucket.GetUpperBound())
					b.Counts = append(b.Counts, float64(bucket.GetCumulativeCount()))
				}
				if !isLast(b.Bounds[len(b.Bounds)-1]) {
					b.Bounds, b.Counts = append(b.Bounds, math.Inf(1)), append(b.Counts, float64(h.GetSampleCount()))
				}
				return b
			}
		}
	}
	t.Fatalf("%s of %s is not exposed", declared(utilization).Metrics[0], level)
	return nil
}
