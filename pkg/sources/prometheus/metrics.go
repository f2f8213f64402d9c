// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"time"

	"k8s.io/component-base/metrics"
)

// queryMetrics counts the queries of one source.
type queryMetrics struct {
	queries  *metrics.CounterVec
	duration *metrics.HistogramVec
	series   *metrics.Counter
	samples  *metrics.Counter
	bytes    *metrics.Counter
	loaded   *metrics.Counter
	readings *metrics.Counter
}

// cost is what one query cost.
type cost struct {
	took time.Duration
	// series, samples and bytes of the answer, once it is unpacked.
	series, samples, bytes int
	// loaded samples, which the engine went through.
	loaded float64
}

func newQueryMetrics() *queryMetrics {
	return &queryMetrics{
		queries: metrics.NewCounterVec(&metrics.CounterOpts{
			Name:           "slo_apiserver_prometheus_queries_total",
			Help:           "Queries sent to Prometheus, by result: success, timeout, busy or error.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"result"}),
		duration: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Name:           "slo_apiserver_prometheus_query_duration_seconds",
			Help:           "Time from sending a query to Prometheus to the last byte of its decoded answer.",
			Buckets:        []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			StabilityLevel: metrics.ALPHA,
		}, []string{"result"}),
		samples:  counter("samples_total", "Samples decoded from the answers of Prometheus."),
		series:   counter("series_total", "Series decoded from the answers of Prometheus."),
		bytes:    counter("answer_bytes_total", "Bytes of the answers of Prometheus, unpacked."),
		loaded:   counter("engine_samples_total", "Samples that Prometheus went through for its answers, as it says with --prometheus-query-param=stats=all."),
		readings: counter("readings_total", "Readings begun, one for each evaluation: the other counters by this one are what an evaluation costs, and what is read of the past."),
	}
}

func counter(name, help string) *metrics.Counter {
	return metrics.NewCounter(&metrics.CounterOpts{Name: "slo_apiserver_prometheus_" + name, Help: help, StabilityLevel: metrics.ALPHA})
}

func (m *queryMetrics) all() []metrics.Registerable {
	return []metrics.Registerable{m.queries, m.duration, m.series, m.samples, m.bytes, m.loaded, m.readings}
}

func (m *queryMetrics) observe(err error, c cost) {
	result := "success"
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		result = "busy"
	case errors.Is(err, context.DeadlineExceeded):
		result = "timeout"
	case err != nil:
		result = "error"
	}
	m.queries.WithLabelValues(result).Inc()
	m.duration.WithLabelValues(result).Observe(c.took.Seconds())
	m.series.Add(float64(c.series))
	m.samples.Add(float64(c.samples))
	m.bytes.Add(float64(c.bytes))
	m.loaded.Add(c.loaded)
}
