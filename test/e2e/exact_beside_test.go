// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

const (
	waitMetric     = "apiserver_flowcontrol_request_wait_duration_seconds"
	rejectedMetric = "apiserver_flowcontrol_rejected_requests_total"
)

// exactBeside compares what a report says beside its verdict with what two
// kube-apiservers counted: the requests that were turned away, and the queues.
func exactBeside(report *v1alpha1.SLOReport, points []point) error {
	want, got := map[string]int64{}, map[string]int64{}
	var all int64
	for _, p := range points {
		if p.metric == rejectedMetric && p.number > 0 {
			want[p.labels["reason"]] += int64(p.number)
			all += int64(p.number)
		}
	}
	rejected := report.Status.RejectedRequests
	if rejected == nil {
		return fmt.Errorf("%s does not know what was rejected", report.Name)
	}
	for _, by := range rejected.ByReason {
		got[by.Reason] = by.Requests
	}
	if rejected.Requests != all || !maps.Equal(got, want) {
		return fmt.Errorf("%s: rejected %d, %v; the scrapes say %d, %v", report.Name, rejected.Requests, got, all, want)
	}
	if report.Status.Overhead == nil {
		return fmt.Errorf("%s does not know what callers lose", report.Name)
	}
	waits := queuesOf(points)
	queues := report.Status.Overhead.Queues
	if len(queues) != min(10, len(waits)) || !slices.IsSortedFunc(queues, longestFirst) {
		return fmt.Errorf("%s: queues %+v; the scrapes say %+v", report.Name, queues, waits)
	}
	for _, q := range queues {
		w := waits[q.PriorityLevel]
		if q.Requests != w.Requests || q.Milliseconds != w.Milliseconds {
			return fmt.Errorf("%s: queue %+v; the scrapes say %+v", report.Name, q, w)
		}
	}
	return nil
}

func longestFirst(a, b v1alpha1.QueueTime) int { return -cmp.Compare(a.Milliseconds, b.Milliseconds) }

// queuesOf all levels in which requests waited to be executed, by level.
func queuesOf(points []point) map[string]v1alpha1.QueueTime {
	requests, seconds := map[string]float64{}, map[string]float64{}
	for _, p := range points {
		level := p.labels["priority_level"]
		switch {
		case p.labels["execute"] != "true":
		case p.metric == waitMetric+"_count":
			requests[level] += p.number
		case p.metric == waitMetric+"_sum":
			seconds[level] += p.number
		}
	}
	queues := map[string]v1alpha1.QueueTime{}
	for level, number := range requests {
		if number > 0 {
			queues[level] = v1alpha1.QueueTime{Requests: int64(number), Milliseconds: atLeastOne(seconds[level] * 1000)}
		}
	}
	return queues
}

// atLeastOne of what is not nothing: a wait of 0.3 ms is served as one of 1 ms.
func atLeastOne(n float64) int64 {
	if n < 1e-6 {
		return 0
	}
	return max(1, int64(math.Round(n)))
}
