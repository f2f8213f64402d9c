// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"slices"
	"strconv"
	"strings"
)

// Metric is a word of the vocabulary: what Kubernetes calls something, and when.
type Metric struct {
	Name string
	// Since and Until are the minor versions of Kubernetes 1 that expose the metric by
	// default, both inclusive; 0 is without end. Nothing before 1.23 was looked at.
	// A deprecated metric is hidden before it is deleted: up to 1.34 in the minor after
	// the one that deprecated it, from 1.35 on one minor later if it is beta and three
	// if it is stable (k8s.io/component-base metrics/registry.go, shouldHide).
	Since, Until int
	// Without says what is lost where it is not there, and no other stands in for it as
	// a whole; "" for a metric that only stands in for others.
	Without string
}

// Versions in words.
func (m Metric) Versions() string {
	minor := func(n int) string { return "1." + strconv.Itoa(n) }
	switch {
	case m.Since == 0 && m.Until == 0:
		return "all versions"
	case m.Until == 0:
		return minor(m.Since) + " and later"
	case m.Since == 0:
		return "up to " + minor(m.Until)
	}
	return minor(m.Since) + " to " + minor(m.Until)
}

// Lookup a metric that kube-apiservers or kubelets expose; false for one that this
// server has no need of by itself.
func Lookup(name string) (Metric, bool) {
	i, found := slices.BinarySearchFunc(vocabulary, name, func(m Metric, name string) int { return strings.Compare(m.Name, name) })
	if !found {
		return Metric{}, false
	}
	return vocabulary[i], true
}

// vocabulary is sorted by name, and not changed. It was read in the sources of
// Kubernetes 1.23 to 1.37: k8s.io/apiserver pkg/endpoints/metrics, pkg/admission/metrics,
// pkg/util/flowcontrol/metrics, pkg/storage/etcd3/metrics and pkg/storage/cacher/metrics,
// k8s.io/kubernetes pkg/kubelet/metrics.
var vocabulary = []Metric{
	{Name: "apiserver_admission_controller_admission_duration_seconds",
		Without: "the latency of admission plugins"},
	{Name: "apiserver_admission_webhook_admission_duration_seconds",
		Without: "the latency of webhooks, and which of them callers wait for"},
	{Name: "apiserver_admission_webhook_fail_open_count", Since: 24,
		Without: "requests that went on without their webhook"},
	{Name: "apiserver_admission_webhook_rejection_count",
		Without: "requests that a webhook refused"},
	{Name: "apiserver_flowcontrol_current_executing_seats", Since: 28,
		Without: "seats in use, and with them all headroom"},
	{Name: "apiserver_flowcontrol_current_inqueue_requests",
		Without: "requests that wait now, and with them the pressure"},
	{Name: "apiserver_flowcontrol_current_inqueue_seats", Since: 28,
		Without: "the seats that waiting requests ask for"},
	{Name: "apiserver_flowcontrol_current_limit_seats", Since: 26,
		Without: "the limit after borrowing; before 1.26 nothing was lent, and the nominal limit is in force"},
	{Name: "apiserver_flowcontrol_demand_seats_high_watermark", Since: 26,
		Without: "the peak of demand"},
	{Name: "apiserver_flowcontrol_demand_seats_smoothed", Since: 26,
		Without: "the smoothed demand, and the forecast of exhaustion"},
	{Name: "apiserver_flowcontrol_dispatched_requests_total",
		Without: "requests that got seats, and with them the pressure and the highest churn"},
	{Name: "apiserver_flowcontrol_lower_limit_seats", Since: 26,
		Without: "the reachable limit"},
	{Name: "apiserver_flowcontrol_nominal_limit_seats", Since: 26,
		Without: "the nominal limit, and with it the pressure"},
	{Name: "apiserver_flowcontrol_priority_level_seat_utilization", Since: 25,
		Without: "the use of seats between samples"},
	{Name: "apiserver_flowcontrol_rejected_requests_total",
		Without: "requests turned away, and with them the pressure"},
	{Name: "apiserver_flowcontrol_request_concurrency_in_use", Until: 31},
	{Name: "apiserver_flowcontrol_request_concurrency_limit", Until: 30},
	{Name: "apiserver_flowcontrol_request_execution_seconds",
		Without: "how long requests hold their seats"},
	{Name: "apiserver_flowcontrol_request_wait_duration_seconds",
		Without: "how long requests waited, and with them the pressure"},
	{Name: "apiserver_flowcontrol_upper_limit_seats", Since: 26,
		Without: "the reachable limit"},
	{Name: "apiserver_flowcontrol_work_estimated_seats", Since: 24,
		Without: "the width of requests"},
	{Name: "apiserver_request_duration_seconds",
		Without: "what callers wait for beyond the indicator"},
	{Name: "apiserver_request_sli_duration_seconds", Since: 26,
		Without: "the latency without webhooks and queues: the figures include what older metrics do"},
	{Name: "apiserver_request_slo_duration_seconds", Since: 23, Until: 27},
	{Name: "apiserver_request_total",
		Without: "answers by code: no ratio of requests has a verdict, and changes of pods and dry runs are not known"},
	{Name: "apiserver_resource_objects", Since: 34,
		Without: "the number of objects by group and resource"},
	{Name: "apiserver_storage_objects", Until: 36,
		Without: "the number of objects before 1.34"},
	{Name: "apiserver_watch_events_dispatch_duration_seconds", Since: 37,
		Without: "the latency of watches"},
	{Name: "apiserver_watch_list_duration_seconds", Since: 29,
		Without: "lists that are streamed as watches"},
	{Name: "coredns_kubernetes_dns_programming_duration_seconds",
		Without: "the latency of DNS programming; CoreDNS has it, and no version of Kubernetes"},
	{Name: "kubelet_pod_start_sli_duration_seconds", Since: 26,
		Without: "the startup latency of pods: there is no verdict"},
	{Name: "kubeproxy_network_programming_duration_seconds",
		Without: "the latency of network programming"},
	{Name: "kubernetes_build_info",
		Without: "the version, and with it what the indicator includes"},
}
