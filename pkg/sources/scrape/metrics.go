// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"time"

	"k8s.io/component-base/metrics"

	"example.io/slo-apiserver/pkg/sources"
)

// sourceMetrics are what the source tells about itself.
type sourceMetrics struct {
	scrapes  *metrics.CounterVec
	duration *metrics.HistogramVec
	bytes    *metrics.CounterVec
	series   *metrics.GaugeVec
}

func newMetrics() sourceMetrics {
	const namespace, subsystem = "slo_apiserver", "scrape"
	return sourceMetrics{
		scrapes: metrics.NewCounterVec(&metrics.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "total", StabilityLevel: metrics.ALPHA,
			Help: "Number of scrapes by component and result, success or failure.",
		}, []string{"component", "result"}),
		duration: metrics.NewHistogramVec(&metrics.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "duration_seconds", StabilityLevel: metrics.ALPHA,
			Help:    "Time from the request to the stored samples in seconds by component.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15},
		}, []string{"component"}),
		bytes: metrics.NewCounterVec(&metrics.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "bytes_total", StabilityLevel: metrics.ALPHA,
			Help: "Bytes of metrics read after decompression by component.",
		}, []string{"component"}),
		series: metrics.NewGaugeVec(&metrics.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "series", StabilityLevel: metrics.ALPHA,
			Help: "Number of series held by component; a histogram is one series.",
		}, []string{"component"}),
	}
}

func (m sourceMetrics) all() []metrics.Registerable {
	return []metrics.Registerable{m.scrapes, m.duration, m.bytes, m.series}
}

func (m sourceMetrics) scraped(c sources.Component, took time.Duration, bytes int64, err error) {
	result := "success"
	if err != nil {
		result = "failure"
	}
	m.scrapes.WithLabelValues(string(c), result).Inc()
	m.duration.WithLabelValues(string(c)).Observe(took.Seconds())
	m.bytes.WithLabelValues(string(c)).Add(float64(bytes))
}

func (m sourceMetrics) hold(series map[sources.Component]int) {
	m.series.Reset()
	for component, n := range series {
		m.series.WithLabelValues(string(component)).Set(float64(n))
	}
}
