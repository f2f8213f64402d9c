// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// A Prometheus that knows one of three kube-apiservers knows no good minute of the
// past, as it knows none of the present; what was seen to be bad was bad.
func TestBackfillOfFewerKubeAPIServersThanExpected(t *testing.T) {
	bad := rememberedAt.Truncate(time.Minute).Add(-3 * time.Hour)
	h := &remembering{slow: bad.Equal}
	for _, test := range []struct {
		name      string
		expected  map[sources.Component]int
		good, bad int32
	}{
		{"not known", nil, 1439, 1},
		{"that one", map[sources.Component]int{sources.KubeAPIServer: 1}, 1439, 1},
		{"two more", map[sources.Component]int{sources.KubeAPIServer: 3}, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, clock := remembers(t, &traffic{}, h, "")
			e.Expected = func() map[sources.Component]int { return test.expected }
			latest(t, e)
			runBackfill(t, e, clock)
			clock.Step(interval)
			wantDay(t, e, test.good, test.bad)
		})
	}
}
