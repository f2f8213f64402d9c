// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

func waited(level, schema string, requests, seconds float64) sources.Series {
	return sources.Series{Values: []string{level, schema}, Histogram: &sources.Buckets{
		Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{0, requests}, Sum: seconds,
	}}
}

func TestQueues(t *testing.T) {
	reading := &sources.Reading{Results: map[string]sources.Result{apf.WaitDurations: {Series: []sources.Series{
		waited("workload-high", "a", 10, 1), waited("workload-low", "a", 100, 20), waited("workload-low", "b", 300, 60),
		waited("extrapolated", "a", 1.4, 0.7), waited("idle", "a", 0, 0), waited("without-sums", "a", 10, math.NaN()), {Values: []string{"empty"}},
	}}}}
	if diff := cmp.Diff([]v1alpha1.QueueTime{
		{PriorityLevel: "workload-low", Requests: 400, Milliseconds: 80_000, PerRequestMilliseconds: 200},
		{PriorityLevel: "workload-high", Requests: 10, Milliseconds: 1000, PerRequestMilliseconds: 100},
		{PriorityLevel: "extrapolated", Requests: 1, Milliseconds: 700, PerRequestMilliseconds: 500},
	}, queues(reading)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRejections(t *testing.T) {
	dispatched := sources.Result{Series: []sources.Series{{Values: []string{"exempt", "exempt"}}}}
	rejected := func(increase float64) sources.Result {
		return sources.Result{Series: []sources.Series{
			{Values: []string{"workload-low", "a", "time-out"}, Increase: increase},
			{Values: []string{"workload-low", "b", "queue-full"}, Increase: 0.3},
			{Values: []string{"global-default", "b", "time-out"}, Increase: 2},
			{Values: []string{"global-default", "b", "cancelled"}},
		}}
	}
	for name, tc := range map[string]struct {
		results map[string]sources.Result
		want    *v1alpha1.Rejections
	}{
		"nothing is known":      {map[string]sources.Result{apf.RejectedRequests: rejected(1)}, nil},
		"nothing was rejected":  {map[string]sources.Result{apf.DispatchedRequests: dispatched}, &v1alpha1.Rejections{}},
		"a number that is none": {map[string]sources.Result{apf.DispatchedRequests: dispatched, apf.RejectedRequests: rejected(math.NaN())}, nil},
		"what was rejected was not read": {map[string]sources.Result{apf.DispatchedRequests: dispatched, apf.RejectedRequests: {
			Warnings: []sources.Warning{{Reason: sources.QueryFailed, Message: "too many samples"}},
		}}, nil},
		"by reason": {map[string]sources.Result{apf.DispatchedRequests: dispatched, apf.RejectedRequests: rejected(5)},
			&v1alpha1.Rejections{Requests: 8, ByReason: []v1alpha1.RejectedByReason{{Reason: "queue-full", Requests: 1}, {Reason: "time-out", Requests: 7}}}},
	} {
		if diff := cmp.Diff(tc.want, rejections(&sources.Reading{Results: tc.results})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// That nothing was rejected is known of those kube-apiservers that count what they
// dispatched. What was rejected is known of any.
func TestNoRejectionsOfWhatWasRead(t *testing.T) {
	of := func(name string, observed bool) sources.Instance {
		return sources.Instance{Component: sources.KubeAPIServer, Name: name, Observed: observed}
	}
	kubelet := sources.Instance{Component: sources.Kubelet, Name: "n", Observed: true}
	dispatchedBy := func(instance string) sources.Series {
		return sources.Series{Values: []string{"exempt", "exempt"}, Instance: instance, Increase: 9}
	}
	for name, tc := range map[string]struct {
		instances []sources.Instance
		rejected  float64
		want      *v1alpha1.Rejections
	}{
		"all count":                {[]sources.Instance{of("a", true), kubelet}, 0, &v1alpha1.Rejections{}},
		"one was not read":         {[]sources.Instance{of("a", true), of("b", false)}, 0, nil},
		"one has lost the metrics": {[]sources.Instance{of("a", true), of("b", true)}, 0, nil},
		"rejected by one that counts": {[]sources.Instance{of("a", true), of("b", false)}, 3,
			&v1alpha1.Rejections{Requests: 3, ByReason: []v1alpha1.RejectedByReason{{Reason: "time-out", Requests: 3}}}},
	} {
		reading := &sources.Reading{Instances: tc.instances, Results: map[string]sources.Result{
			apf.DispatchedRequests: {Series: []sources.Series{dispatchedBy("a")}},
			apf.RejectedRequests:   {Series: []sources.Series{{Values: []string{"workload-low", "a", "time-out"}, Instance: "a", Increase: tc.rejected}}},
		}}
		if diff := cmp.Diff(tc.want, rejections(reading)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
