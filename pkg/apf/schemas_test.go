// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"slices"
	"testing"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// The rows of flow schemas add up to the figures of the level.
func TestFlowSchemasAddUp(t *testing.T) {
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		if seed%2 == 1 {
			w.harm()
		}
		for _, h := range w.evaluate() {
			if h.Status.Requests == nil {
				continue
			}
			for name, figures := range map[string]struct {
				total *int64
				of    func(v1alpha1.FlowSchemaUse) *int64
			}{
				"dispatched": {h.Status.Requests.Dispatched, func(u v1alpha1.FlowSchemaUse) *int64 { return u.Dispatched }},
				"rejected":   {h.Status.Requests.Rejected, func(u v1alpha1.FlowSchemaUse) *int64 { return u.Rejected }},
				"executing":  {h.Status.Total.ExecutingSeats, func(u v1alpha1.FlowSchemaUse) *int64 { return u.ExecutingSeats }},
			} {
				var sum int64
				for _, u := range h.Status.FlowSchemas {
					if (figures.of(u) == nil) != (figures.total == nil) {
						t.Fatalf("seed %d, %s: %s of %s is %s, of the level %s", seed, h.Name, name, u.Name, figure(figures.of(u)), figure(figures.total))
					}
					sum += valueOf(figures.of(u))
				}
				if figures.total != nil && sum != *figures.total {
					t.Fatalf("seed %d, %s: %s of flow schemas add up to %d, of the level %d", seed, h.Name, name, sum, *figures.total)
				}
			}
			if !slices.IsSortedFunc(h.Status.FlowSchemas, byUse) {
				t.Fatalf("seed %d, %s: not ranked: %v", seed, h.Name, h.Status.FlowSchemas)
			}
		}
	}
}
