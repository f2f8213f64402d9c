// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfheadroom

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func TestExhaustion(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) metav1.Time { return metav1.NewTime(at.Add(d)) }
	band := func(early, likely, late time.Duration) *slo.Exhaustion {
		return &slo.Exhaustion{EarlyTime: in(early), LikelyTime: in(likely), LateTime: new(in(late))}
	}
	open := band(8*time.Minute, 12*time.Minute, 0)
	open.LateTime = nil
	for _, tc := range []struct {
		what     string
		e        *slo.Exhaustion
		observed *metav1.Time
		want     string
	}{
		{"no forecast", nil, new(in(0)), "-"},
		{"a time of nothing", open, nil, "-"},
		{"band", band(8*time.Minute, 12*time.Minute, 21*time.Minute), new(in(0)), "12m (8m..21m)"},
		{"late beyond the horizon", open, new(in(0)), "12m (8m..)"},
		{"seconds", band(0, 25*time.Second, 95*time.Second), new(in(0)), "25s (0s..95s)"},
		{"another instance was read later", band(-5*time.Second, 0, 20*time.Second), new(in(0)), "0s (0s..20s)"},
	} {
		if got := exhaustion(tc.e, tc.observed); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.what, got, tc.want)
		}
	}
}
