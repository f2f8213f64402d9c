// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/evidence/evidencetest"
)

const (
	totalMetric    = "apiserver_request_duration_seconds"
	webhookMetric  = "apiserver_admission_webhook_admission_duration_seconds"
	requestsMetric = "apiserver_request_total"
	objectsMetric  = "apiserver_resource_objects"
)

// subtracted are figures of one report and its indicators, worked out from the answers of
// the kube-apiservers, as an expression would give them.
type subtracted map[string][]evidencetest.Answer

func (s subtracted) add(figure string, labels map[string]string, value float64) {
	s[figure] = append(s[figure], evidencetest.Answer{Labels: labels, Value: value})
}

// subtract for one report.
func subtract(report string, pair [2]stretch) subtracted {
	s := subtracted{}
	points := slices.Concat(pair[0].increases, pair[1].increases)
	s.addKeys(report, points)
	s.addShared(points)
	for _, one := range pair {
		for _, p := range one.last().points {
			if p.metric == objectsMetric {
				s.add("conditions.PromisesKept.objects", p.labels, p.number)
			}
		}
	}
	return s
}

// sums of a key.
type sums struct{ requests, good, seconds, total, totalGood, totalSeconds float64 }

// addKeys adds what is told of each key, and of those that count together.
func (s subtracted) addKeys(report string, points []point) {
	type key struct{ group, resource, subresource, verb string }
	byKey := map[key]*sums{}
	for _, p := range points {
		if objectiveBy(p.labels) != report || p.labels["dry_run"] != "" {
			continue
		}
		k := key{p.labels["group"], p.labels["resource"], p.labels["subresource"], ""}
		if report == mutating {
			k.verb = p.labels["verb"]
		}
		if byKey[k] == nil {
			byKey[k] = &sums{}
		}
		if to := byKey[k].of(p.metric); to != nil {
			*to += p.number
		}
	}
	var all sums
	over, lost := 0.0, 0.0
	for k, of := range byKey {
		if of.requests == 0 {
			continue
		}
		labels := map[string]string{"group": k.group, "resource": k.resource, "subresource": k.subresource, "verb": k.verb}
		seconds := max(0, of.totalSeconds-of.seconds)
		s.add("indicators.requests", labels, of.requests)
		s.add("indicators.slowRequests", labels, of.requests-of.good)
		s.add("indicators.total.lostMilliseconds", labels, math.Round(1000*seconds))
		s.add("indicators.total.lostPerRequestMilliseconds", labels, math.Round(1000*seconds/of.requests))
		if slices.Contains(virtualResources, k.resource) || slices.Contains(customResources, k.resource) {
			continue
		}
		all.requests, all.good, lost = all.requests+of.requests, all.good+of.good, lost+seconds
		if of.totalGood < 0.99*of.total && of.good >= 0.99*of.requests {
			over++
		}
	}
	s.add("requests", nil, all.requests)
	s.add("slowRequests", nil, all.requests-all.good)
	s.add("overhead.keysOverThreshold", nil, over)
	s.add("overhead.lostMilliseconds", nil, math.Round(1000*lost))
	s.add("overhead.lostPerRequestMilliseconds", nil, math.Round(1000*lost/all.requests))
}

func (s *sums) of(metric string) *float64 {
	return map[string]*float64{
		sliMetric + "_count": &s.requests, sliMetric + "_good": &s.good, sliMetric + "_sum": &s.seconds,
		totalMetric + "_count": &s.total, totalMetric + "_good": &s.totalGood, totalMetric + "_sum": &s.totalSeconds,
	}[metric]
}

// addShared adds what is of the whole of the kube-apiservers.
func (s subtracted) addShared(points []point) {
	changes, requests := 0.0, 0.0
	for _, p := range points {
		switch p.metric {
		case webhookMetric + "_count":
			s.add("overhead.webhooks.calls", p.labels, p.number)
		case webhookMetric + "_sum":
			s.add("overhead.webhooks.milliseconds", p.labels, math.Round(1000*p.number))
		case rejectedMetric:
			s.add("rejectedRequests.byReason.requests", p.labels, p.number)
		case requestsMetric:
			if isPodChange(p.labels) {
				changes += p.number
			}
		case "apiserver_flowcontrol_dispatched_requests_total":
			if !slices.Contains(systemFlowSchemas, p.labels["flow_schema"]) {
				requests += p.number
			}
		}
	}
	s.add("conditions.PromisesKept.churnAtLeast", nil, changes/window.Seconds())
	s.add("conditions.PromisesKept.churnAtMost", nil, (changes+requests)/window.Seconds())
	for level, q := range queuesOf(points) {
		labels := map[string]string{"priority_level": level}
		s.add("overhead.queues.requests", labels, float64(q.Requests))
		s.add("overhead.queues.milliseconds", labels, float64(q.Milliseconds))
	}
}

func isPodChange(labels map[string]string) bool {
	return labels["component"] == "apiserver" && labels["group"] == "" && labels["resource"] == "pods" && labels["subresource"] == "" && labels["dry_run"] == "" &&
		slices.Contains([]string{"APPLY", "DELETE", "PATCH", "POST", "PUT"}, labels["verb"]) &&
		slices.Contains([]string{"200", "201", "202"}, labels["code"])
}

// systemFlowSchemas have no requests of users.
var systemFlowSchemas = []string{
	"endpoint-controller", "kube-controller-manager", "kube-scheduler", "kube-system-service-accounts", "probes",
	"system-leader-election", "system-node-high", "system-nodes", "workload-leader-election",
}
