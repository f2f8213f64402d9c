// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"sync/atomic"

	dto "github.com/prometheus/client_model/go"
	"k8s.io/component-base/metrics"
)

type reloadMetrics struct {
	current *metrics.Gauge
	loads   *metrics.CounterVec
}

func newReloadMetrics() reloadMetrics {
	return reloadMetrics{
		current: metrics.NewGauge(&metrics.GaugeOpts{
			Namespace:      "slo_apiserver",
			Name:           "objectives_file_current",
			Help:           "1 when the objectives in force are those of the file as it is now, 0 when the file can not be used.",
			StabilityLevel: metrics.ALPHA,
		}),
		loads: metrics.NewCounterVec(&metrics.CounterOpts{
			Namespace:      "slo_apiserver",
			Name:           "objectives_file_loads_total",
			Help:           "Changes of the file of objectives that were read, by result: ok or error.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"result"}),
	}
}

// registerable metrics: none without a file, of which there is nothing to tell.
func (r *reload) registerable() []metrics.Registerable {
	if r.file.path == "" {
		return nil
	}
	m := r.metrics
	return []metrics.Registerable{m.current, m.loads}
}

// sourceMetrics are those of the source in force, which may be another one day.
type sourceMetrics struct {
	gatherer atomic.Pointer[metrics.KubeRegistry]
}

func (m *sourceMetrics) hold(s *source) error {
	registry := metrics.NewKubeRegistry()
	for _, metric := range s.metrics {
		if err := registry.Register(metric); err != nil {
			return fmt.Errorf("register metric %s: %w", metric.FQName(), err)
		}
	}
	m.gatherer.Store(&registry)
	return nil
}

// Gather implements prometheus.Gatherer.
func (m *sourceMetrics) Gather() ([]*dto.MetricFamily, error) {
	if registry := m.gatherer.Load(); registry != nil {
		return (*registry).Gather()
	}
	return nil, nil
}
