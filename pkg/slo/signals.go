// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// Names of the signals that the objectives read.
const (
	// SignalRequestLatency is the time kube-apiservers spent on requests, without
	// webhooks and API Priority & Fairness queues.
	SignalRequestLatency = "api-request-latency"
	// SignalPodStartLatency is the time pods took to start, without image pulls
	// and init containers.
	SignalPodStartLatency = "pod-start-latency"
)

// Labels of apiserver_request_*duration_seconds.
const (
	labelGroup       = "group"
	labelResource    = "resource"
	labelSubresource = "subresource"
	labelVerb        = "verb"
	labelScope       = "scope"
)

const (
	metricRequestSLI = "apiserver_request_sli_duration_seconds"
	metricRequestSLO = "apiserver_request_slo_duration_seconds"
	metricRequest    = "apiserver_request_duration_seconds"
	metricPodStart   = "kubelet_pod_start_sli_duration_seconds"
)

// Signals returns what the objectives read.
func Signals() []sources.Signal {
	return []sources.Signal{
		{
			Name:      SignalRequestLatency,
			Component: sources.KubeAPIServer,
			Kind:      sources.Histogram,
			// The SLI metric came with Kubernetes 1.26, its first name with 1.23.
			Metrics: []string{metricRequestSLI, metricRequestSLO, metricRequest},
			Labels:  []string{labelGroup, labelResource, labelSubresource, labelVerb, labelScope},
			Match: map[string][]string{
				// Requests for resources have it; health checks and the like do not.
				"component": {"apiserver"},
				// Dry runs are in the oldest metric only; the others lack the label.
				"dry_run": {""},
				// Metrics whose verb or scope was dropped on the way match
				// nothing, and so are missing rather than without traffic.
				labelVerb:  append(mutatingVerbs(), readOnlyVerbs()...),
				labelScope: {"cluster", "namespace", "resource"},
			},
			// A kube-apiserver serves requests before anybody can ask it for
			// metrics: one without any of these lost them on the way.
			Everywhere: true,
		},
		{
			Name:      SignalPodStartLatency,
			Component: sources.Kubelet,
			Kind:      sources.Histogram,
			// The metric has no labels and came with Kubernetes 1.26. There is no
			// other to fall back on: kubelet_pod_start_duration_seconds counts from
			// when the kubelet saw the pod, includes image pulls, and is there
			// before the first pod starts, which the SLI metric is not: it would
			// be taken for the SLI on every kubelet that is still idle.
			Metrics: []string{metricPodStart},
		},
	}
}

// shortcomings says what the chosen metrics include that the indicator does not,
// in plain English; "" when they are the indicator.
func shortcomings(metrics []string) string {
	switch {
	case slices.Contains(metrics, metricRequest):
		return metricRequest + " includes the time of webhooks and of API Priority & Fairness queues"
	case slices.Contains(metrics, metricRequestSLO):
		return metricRequestSLO + " includes the time of API Priority & Fairness queues"
	}
	return ""
}
