// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cell

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func ms(n int64) *int64 { return &n }

func TestCells(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(-d)} }
	for _, tc := range []struct{ what, got, want string }{
		{"no text", Text(""), "-"},
		{"no count", Count(nil), "-"},
		{"count 0 is a count", Count(ms(0)), "0"},
		{"negative headroom", Count(ms(-9)), "-9"},
		{"part", Of(int32(9), 14), "9/14"},
		{"no instances known", Instances(nil), "-"},
		{"instances", Instances(&slo.InstanceCounts{Observed: 1, Expected: 2}), "1/2"},

		{"no time", Age(nil, now), "-"},
		{"zero time", Age(&metav1.Time{}, now), "-"},
		{"age", Age(at(12*time.Second), now), "12s"},
		{"clock ahead of ours", Age(at(-5*time.Second), now), "0s"},
		{"no window", Seconds(nil), "-"},
		{"window", Seconds(ms(300)), "5m"},
		{"short window", Seconds(ms(45)), "45s"},

		{"no latency", Latency(nil, nil), "-"},
		{"no bucket", Latency(nil, ms(310)), "310ms"},
		{"first bucket", Latency(&slo.LatencyBucket{UpToMilliseconds: ms(5)}, ms(3)), "<=5ms"},
		{"bucket", Latency(&slo.LatencyBucket{OverMilliseconds: 1000, UpToMilliseconds: ms(1250)}, ms(1100)), "1s..1.25s"},
		{"bucket across the second", Latency(&slo.LatencyBucket{OverMilliseconds: 800, UpToMilliseconds: ms(1000)}, ms(900)), "800ms..1s"},
		{"last bucket", Latency(&slo.LatencyBucket{OverMilliseconds: 60000}, ms(60000)), ">60s"},
		{"milliseconds", Milliseconds(ms(1005)), "1.005s"},

		{"no ratio", Percent(""), "-"},
		{"ratio", Percent("0.977405"), "97.74%"},
		{"short ratio", Percent("0.7"), "70.00%"},
		{"all", Percent("1"), "100%"},
		{"all with digits", Percent("1.000000"), "100%"},
		{"almost all", Percent("0.999999"), "99.99%"},
		{"none", Percent("0"), "0.00%"},
		{"more than all", Percent("1.000001"), "-"},
		{"not a ratio", Percent("NaN"), "-"},
		{"sign", Percent("0.+1"), "-"},
		{"too many digits", Percent("0.9999999"), "-"},

		{"reason", Words("NoTraffic"), "no traffic"},
		{"capitals first", Words("APFDisabled"), "APF disabled"},
		{"capitals within", Words("NoAPFMetrics"), "no APF metrics"},
		{"one word", Words("Stale"), "stale"},
		{"nothing", Words(""), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.what, tc.got, tc.want)
		}
	}
}
