// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// finding says in a line what the verdict does not. It speaks
//
//   - of what callers wait for, where a key is not violated and would be if the total
//     latency were held to the threshold: the threshold is what callers are promised,
//     and the indicator leaves out the rest because it is not the doing of Kubernetes
//     itself (sig-scalability slos/api_call_latency.md), not because nobody waits;
//   - of requests that were turned away, whatever their number: none is promised.
func finding(o Objective, status *v1alpha1.SLOReportStatus, over overKeys) string {
	var parts []string
	if len(over.slow) > 0 {
		parts = append(parts, over.slowMessage(o)+causes(status.Overhead))
	}
	if r := status.RejectedRequests; r != nil && r.Requests > 0 {
		parts = append(parts, rejectedMessage(r))
	}
	if len(parts) == 0 {
		return ""
	}
	but := ", and "
	if status.Verdict == v1alpha1.VerdictMet || status.Verdict == v1alpha1.VerdictNoTraffic {
		but = ", but "
	}
	return string(status.Verdict) + but + strings.Join(parts, "; and ")
}

func (over overKeys) slowMessage(o Objective) string {
	message := fmt.Sprintf("with all that callers wait for p%d is over %s", o.Percentile, span(o.Threshold))
	if over.slowRequests > 0 {
		mean := over.slowSeconds / over.slowRequests
		message = fmt.Sprintf("callers wait %s more", latency(mean))
		if mean < o.Threshold.Seconds() { // of which alone it would not be told
			message += fmt.Sprintf(" on average and p%d is over %s", o.Percentile, span(o.Threshold))
		}
	}
	if len(o.Key) > 0 {
		message += fmt.Sprintf(" for %d of %s, such as %s", len(over.slow), keyCount(int64(over.keys)), over.slow[0].key)
	}
	return message
}

// cause of lost time. Neither webhooks nor queues are known by resource: each is given
// by the time that it takes of anybody.
type cause struct {
	milliseconds int64
	name         string
}

// causes are the webhooks and queues that took the most time of all requests, if any:
// three at most, and none that took less than a tenth of the first.
func causes(overhead *v1alpha1.Overhead) string {
	const most, least = 3, 10
	var all []cause
	for _, w := range overhead.Webhooks {
		all = append(all, cause{w.Milliseconds, fmt.Sprintf("%s webhook %s (%s a call)", strings.ToLower(w.Type), w.Name, latency(float64(w.Milliseconds)/1000/float64(w.Calls)))})
	}
	for _, q := range overhead.Queues {
		if q.Requests > 0 {
			all = append(all, cause{q.Milliseconds, fmt.Sprintf("queue %s (%s a request)", q.PriorityLevel, latency(float64(q.Milliseconds)/1000/float64(q.Requests)))})
		}
	}
	slices.SortStableFunc(all, func(a, b cause) int { return -cmp.Compare(a.milliseconds, b.milliseconds) })
	var names []string
	for _, c := range all[:min(most, len(all))] {
		if c.milliseconds > 0 && c.milliseconds >= all[0].milliseconds/least {
			names = append(names, c.name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

func rejectedMessage(r *v1alpha1.Rejections) string {
	var reasons []string
	for _, by := range r.ByReason {
		if by.Requests > 0 {
			reasons = append(reasons, fmt.Sprintf("%s %d", by.Reason, by.Requests))
		}
	}
	return fmt.Sprintf("%d requests of all kinds were turned away (%s), which are in no latency", r.Requests, strings.Join(reasons, ", "))
}
