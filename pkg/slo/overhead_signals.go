// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import "example.io/slo-apiserver/pkg/sources"

// Names of the signals that tell what indicators leave out. They are of no objective.
const (
	// SignalTotalLatency is the time kube-apiservers spent on requests, with all that
	// SignalRequestLatency leaves out.
	SignalTotalLatency = "api-total-latency"
	// SignalWebhookTime is the time of calls to admission webhooks.
	SignalWebhookTime = "api-webhook-time"
	// SignalWebhookRejections are requests refused by webhooks, or because of them.
	SignalWebhookRejections = "api-webhook-rejections"
	// SignalWebhookFailOpen are requests that went on without their webhook.
	SignalWebhookFailOpen = "api-webhook-fail-open"
)

// Labels of the metrics of webhooks (k8s.io/apiserver pkg/admission/metrics).
const (
	labelDryRun    = "dry_run"
	labelName      = "name"
	labelType      = "type"
	labelErrorType = "error_type"
)

// overheadSignals are read beside those of the objectives. All histograms are read
// for their sums; of the total latency the buckets are needed for its quantiles.
func overheadSignals() []sources.Signal {
	// CONNECT is long-running and in no objective.
	operations := map[string][]string{"operation": {"CREATE", "UPDATE", "DELETE"}}
	return []sources.Signal{
		totalLatency(),
		{
			Name:      SignalWebhookTime,
			Component: sources.KubeAPIServer,
			Kind:      sources.Histogram,
			Metrics:   []string{"apiserver_admission_webhook_admission_duration_seconds"},
			Labels:    []string{labelName, labelType},
			Match:     operations,
			Optional:  true, // without webhooks there is none
		},
		{
			Name:      SignalWebhookRejections,
			Component: sources.KubeAPIServer,
			Kind:      sources.Counter,
			Metrics:   []string{"apiserver_admission_webhook_rejection_count"},
			Labels:    []string{labelName, labelType, labelErrorType},
			Match:     operations,
		},
		{
			Name:      SignalWebhookFailOpen,
			Component: sources.KubeAPIServer,
			Kind:      sources.Counter,
			Metrics:   []string{"apiserver_admission_webhook_fail_open_count"}, // 1.24 and later
			Labels:    []string{labelName, labelType},
		},
	}
}

func totalLatency() sources.Signal {
	return sources.Signal{
		Name:      SignalTotalLatency,
		Component: sources.KubeAPIServer,
		Kind:      sources.Histogram,
		Metrics:   []string{metricRequest},
		Optional:  true,
		// Dry runs are kept apart: up to 1.34 the indicator includes them.
		Labels: []string{labelGroup, labelResource, labelSubresource, labelVerb, labelScope, labelDryRun},
		Match: map[string][]string{
			"component": {"apiserver"},
			labelVerb:   {"APPLY", "DELETE", "PATCH", "POST", "PUT", "GET", "LIST"},
			labelScope:  {"cluster", "namespace", "resource"},
		},
	}
}
