// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"testing"
	"time"
)

func TestQuantileIsByNearestRank(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1)*time.Millisecond)
	}
	for _, c := range []struct {
		durations []time.Duration
		q, want   float64
	}{
		{nil, 0.99, 0},
		{hundred[:1], 0.5, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
	} {
		if got := quantile(c.durations, c.q); got != c.want {
			t.Errorf("quantile of %d at %v = %v, want %v", len(c.durations), c.q, got, c.want)
		}
	}
}
