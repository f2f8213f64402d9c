// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"maps"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// Names of the signals in a Reading.
const (
	nominalLimit      = "apf-nominal-limit-seats"
	lowerLimit        = "apf-lower-limit-seats"
	upperLimit        = "apf-upper-limit-seats"
	currentLimit      = "apf-current-limit-seats"
	executing         = "apf-executing-seats"
	executingBySchema = "apf-executing-seats-by-flow-schema"
	peakDemand        = "apf-peak-demand-seats"
	smoothedDemand    = "apf-smoothed-demand-seats"
	utilization       = "apf-seat-utilization"
	queuedRequests    = "apf-queued-requests"
	queuedSeats       = "apf-queued-seats"
	dispatched        = "apf-dispatched-requests"
	rejected          = "apf-rejected-requests"
	waits             = "apf-wait-duration"
	execution         = "apf-execution-duration"
	width             = "apf-estimated-seats"
)

// signal is a row of the catalog.
type signal struct {
	sources.Signal
	// zeroWith names the signal that has to have a series of any level on an
	// instance for an absent series of a level to mean zero there. Empty: an
	// absent series is never zero.
	zeroWith string
}

// catalog is what this package reads. It is not changed. Names, labels and types
// are those of k8s.io/apiserver pkg/util/flowcontrol/metrics/metrics.go; the first
// label of all of them is the priority level. Versions are those that expose a metric
// by default: the table of package evidence.
//
// The limits are set for every level when it is configured and the demand when
// seats are allotted, so a level without them is not known. All others appear
// with their first use (WithLabelValues in a vector). An instance that was read
// has dispatched at least the request that read it, so it has a series of
// dispatched requests and of executing seats: where it has none of any level, the
// family is gone (an older version, a relabeling rule), and absence means nothing.
// Requests of levels with queues pass through a queue even when they are
// dispatched at once (fairqueuing/queueset StartRequest): the families of the
// queues appear with the first of them. For absent waits see instance.histogram.
var catalog = []signal{
	{Signal: gauge(nominalLimit,
		"apiserver_flowcontrol_nominal_limit_seats",       // 1.26 and later
		"apiserver_flowcontrol_request_concurrency_limit", // up to 1.30; hidden from 1.31 on
	)},
	// 1.26 and later. Before, nothing was lent: the nominal limit is in force.
	{Signal: gauge(currentLimit, "apiserver_flowcontrol_current_limit_seats")},
	// 1.26 and later. Of the last ten seconds before each sample.
	{Signal: gauge(peakDemand, "apiserver_flowcontrol_demand_seats_high_watermark")},
	// 1.26 and later, set together with the nominal limit.
	{Signal: gauge(lowerLimit, "apiserver_flowcontrol_lower_limit_seats")},
	{Signal: gauge(upperLimit, "apiserver_flowcontrol_upper_limit_seats")},
	// 1.26 and later. Mean and deviation of ten seconds are in it; by themselves they
	// say nothing of the window. Its samples tell where it goes.
	{Signal: sampled(gauge(smoothedDemand, "apiserver_flowcontrol_demand_seats_smoothed"))},
	// 1.25 and later; there for every level from the first moment on. demand_seats is
	// of the same kind, but is not read: up to the limit it says the same, and over it
	// the queue and the rejections say more.
	{Signal: histogram(utilization, "apiserver_flowcontrol_priority_level_seat_utilization")},
	// Declared twice: flow schemas do not peak together, so only a source that sums
	// them before it takes the highest value knows the peak of the level.
	{Signal: gauge(executing, executingMetrics()...), zeroWith: executing},
	{Signal: withLabels(gauge(executingBySchema, executingMetrics()...), "flow_schema"), zeroWith: executingBySchema},
	{
		Signal:   withLabels(gauge(queuedRequests, "apiserver_flowcontrol_current_inqueue_requests"), "flow_schema"),
		zeroWith: queuedRequests,
	},
	// 1.28 and later.
	{Signal: gauge(queuedSeats, "apiserver_flowcontrol_current_inqueue_seats"), zeroWith: queuedSeats},
	{
		Signal:   withLabels(counter(dispatched, "apiserver_flowcontrol_dispatched_requests_total"), "flow_schema"),
		zeroWith: dispatched,
	},
	// Registered together with the dispatched requests; a healthy instance has
	// never rejected any, so the family itself proves nothing.
	{
		Signal:   withLabels(counter(rejected, "apiserver_flowcontrol_rejected_requests_total"), "flow_schema", "reason"),
		zeroWith: dispatched,
	},
	// Why only "true": see the package comment.
	{Signal: matching(
		withLabels(histogram(waits, "apiserver_flowcontrol_request_wait_duration_seconds"), "flow_schema"),
		"execute", "true",
	)},
	// Of these two only the sum and the count are used. A histogram costs Prometheus
	// three queries all the same.
	{
		Signal:   withLabels(histogram(execution, "apiserver_flowcontrol_request_execution_seconds"), "flow_schema"),
		zeroWith: execution,
	},
	// 1.24 and later.
	{
		Signal:   withLabels(histogram(width, "apiserver_flowcontrol_work_estimated_seats"), "flow_schema"),
		zeroWith: width,
	},
}

// executingMetrics count seats. current_executing_requests does not: a wide LIST
// takes ten of them or more (request/config.go MaximumListSeatsLimit).
func executingMetrics() []string {
	return []string{
		"apiserver_flowcontrol_current_executing_seats",    // 1.28 and later
		"apiserver_flowcontrol_request_concurrency_in_use", // up to 1.31; hidden from 1.32 on
	}
}

// ofPressure are the signals that the pressure needs, and the limits.
func ofPressure() []string {
	return []string{nominalLimit, currentLimit, peakDemand, executing, queuedRequests, dispatched, rejected, waits}
}

// Signals are what Evaluate needs to find in a Reading.
func Signals() []sources.Signal {
	signals := make([]sources.Signal, len(catalog))
	for i, s := range catalog {
		signals[i] = s.Signal
		signals[i].Metrics = slices.Clone(s.Metrics)
		signals[i].Labels = slices.Clone(s.Labels)
		signals[i].Match = maps.Clone(s.Match)
	}
	return signals
}

// declared returns the row of the catalog for a signal of this package.
func declared(name string) signal {
	i := slices.IndexFunc(catalog, func(s signal) bool { return s.Name == name })
	return catalog[i]
}

func gauge(name string, metrics ...string) sources.Signal {
	return sources.Signal{
		Name:        name,
		Component:   sources.KubeAPIServer,
		Kind:        sources.Gauge,
		Metrics:     metrics,
		Labels:      []string{"priority_level"},
		PerInstance: true,
	}
}

func counter(name string, metrics ...string) sources.Signal {
	s := gauge(name, metrics...)
	s.Kind = sources.Counter
	return s
}

func histogram(name string, metrics ...string) sources.Signal {
	s := gauge(name, metrics...)
	s.Kind = sources.Histogram
	return s
}

func sampled(s sources.Signal) sources.Signal {
	s.Samples = true
	return s
}

func matching(s sources.Signal, label string, values ...string) sources.Signal {
	s.Match = map[string][]string{label: values}
	return s
}

func withLabels(s sources.Signal, labels ...string) sources.Signal {
	s.Labels = append(s.Labels, labels...)
	return s
}
