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
	samples  *metrics.Counter
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
		samples: metrics.NewCounter(&metrics.CounterOpts{
			Name:           "slo_apiserver_prometheus_samples_total",
			Help:           "Samples decoded from the answers of Prometheus.",
			StabilityLevel: metrics.ALPHA,
		}),
	}
}

func (m *queryMetrics) all() []metrics.Registerable {
	return []metrics.Registerable{m.queries, m.duration, m.samples}
}

func (m *queryMetrics) observe(err error, took time.Duration, samples int) {
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
	m.duration.WithLabelValues(result).Observe(took.Seconds())
	m.samples.Add(float64(samples))
}
