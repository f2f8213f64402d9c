// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
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

// Signals returns what the objectives that are built in read.
func Signals() []sources.Signal {
	d, err := DefaultDefinitions(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		panic(err) // a defect of this build that every test of this package finds
	}
	return d.Signals
}
