// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/storage"
	fcrequest "k8s.io/apiserver/pkg/util/flowcontrol/request"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
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

// After a change is answered its seats stay taken while watches are told of it
// (queueset.go finishRequestLocked, AdditionalLatency); request_execution_seconds ends
// before (apf_filter.go Handle). The estimate says what was taken until then, and of a
// change with many watches that is the least part.
func TestSeatSecondsAreOfExecution(t *testing.T) {
	info := &request.RequestInfo{IsResourceRequest: true, Verb: "update", Resource: "endpoints"}
	work := fcrequest.NewWorkEstimator(
		func(string) (storage.Stats, error) { return storage.Stats{}, nil },
		func(*request.RequestInfo) int { return 5000 },
		fcrequest.DefaultWorkEstimatorConfig(),
		func(string) uint64 { return 37 },
	).EstimateWork(httptest.NewRequest(http.MethodPut, "/", nil).WithContext(request.WithRequestInfo(t.Context(), info)), "", "")
	const changes, execution = 1000, 0.010
	executed := &sources.Buckets{Bounds: []float64{math.Inf(1)}, Counts: []float64{changes}, Sum: changes * execution}
	wide := &sources.Buckets{Bounds: []float64{math.Inf(1)}, Counts: []float64{changes}, Sum: changes * float64(work.MaxSeats())}
	var use v1alpha1.FlowSchemaUse
	readWork(&use, executed, wide)
	if got, want := *use.EstimatedSeatSeconds, int64(100); got != want {
		t.Errorf("%d seat-seconds, want %d: 10 seats for 10 ms, a thousand times", got, want)
	}
	// What the API documentation says of the rest: 5 ms of a seat for each ten watches.
	if held := float64(work.MaxSeats()) * work.AdditionalLatency.Seconds(); math.Abs(held-5000/10*0.005) > 1e-9 {
		t.Errorf("a change that 5000 watches are told of holds %v seat-seconds after its answer", held)
	}
}
