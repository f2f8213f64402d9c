// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
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
		parts = append(parts, over.slowMessage(o)+causes(status.Overhead, over.slowSeconds))
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

// causes are the webhooks and queues that may be what the slow keys wait for. None is
// known by resource, so each is given by the time that it takes of anybody, and named
// if that is a tenth at least of what those keys lost: with less it can not matter to
// them. Which of those that are left it was is not known, however much time they
// take elsewhere: the first two of both kinds are named, webhooks first, since changes
// only have them. Where the time lost is not known, neither is what matters.
func causes(overhead *v1alpha1.Overhead, lostSeconds float64) string {
	const most, share = 2, 10
	if !(lostSeconds > 0) {
		return "" // not known, or next to nothing: any webhook would have more
	}
	matters := func(milliseconds int64) bool {
		return milliseconds > 0 && float64(milliseconds) >= lostSeconds*1000/share
	}
	var webhooks, queues []string
	for _, w := range overhead.Webhooks {
		if matters(w.Milliseconds) {
			each := latency(float64(w.PerCallMilliseconds) / 1000)
			webhooks = append(webhooks, fmt.Sprintf("%s webhook %s (%s a call)", strings.ToLower(w.Type), w.Name, each))
		}
	}
	for _, q := range overhead.Queues {
		if q.Requests > 0 && matters(q.Milliseconds) {
			each := latency(float64(q.PerRequestMilliseconds) / 1000)
			queues = append(queues, fmt.Sprintf("queue %s (%s a request)", q.PriorityLevel, each))
		}
	}
	names := slices.Concat(webhooks[:min(most, len(webhooks))], queues[:min(most, len(queues))])
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
	turnedAway := fmt.Sprintf("%d requests of all kinds were turned away (%s), which are", r.Requests, strings.Join(reasons, ", "))
	if r.Requests == 1 {
		turnedAway = fmt.Sprintf("1 request was turned away (%s), which is", strings.Join(reasons, ", "))
	}
	return turnedAway + " in no latency"
}
