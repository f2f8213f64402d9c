// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"k8s.io/component-base/metrics"
)

// evaluationMetrics are what the evaluator tells of itself.
type evaluationMetrics struct {
	evaluations *metrics.CounterVec
	duration    *metrics.Histogram

	ledgerKeys    *metrics.Gauge
	ledgerRefused *metrics.Counter
	checkpoints   *metrics.CounterVec
}

func newEvaluationMetrics() evaluationMetrics {
	return evaluationMetrics{
		evaluations: metrics.NewCounterVec(&metrics.CounterOpts{
			Namespace:      "slo_apiserver",
			Name:           "evaluations_total",
			Help:           "Evaluations made, by result: ok, stale (the last reading stood in for a source that did not answer), unavailable (no reading was young enough) or error (a panic was recovered).",
			StabilityLevel: metrics.ALPHA,
		}, []string{"result"}),
		duration: metrics.NewHistogram(&metrics.HistogramOpts{
			Namespace:      "slo_apiserver",
			Name:           "evaluation_duration_seconds",
			Help:           "Time to read the source and to evaluate all objectives and priority levels.",
			Buckets:        metrics.ExponentialBuckets(0.001, 4, 8), // 1ms to 16s
			StabilityLevel: metrics.ALPHA,
		}),
		ledgerKeys: metrics.NewGauge(&metrics.GaugeOpts{
			Namespace:      "slo_apiserver",
			Name:           "ledger_keys",
			Help:           "Keys of all objectives whose minutes of the last day are kept.",
			StabilityLevel: metrics.ALPHA,
		}),
		ledgerRefused: metrics.NewCounter(&metrics.CounterOpts{
			Namespace:      "slo_apiserver",
			Name:           "ledger_refused_keys_total",
			Help:           "Minutes of keys that were not kept, because there are too many keys or their names are too long. Days of reports are not affected.",
			StabilityLevel: metrics.ALPHA,
		}),
		checkpoints: metrics.NewCounterVec(&metrics.CounterOpts{
			Namespace:      "slo_apiserver",
			Name:           "ledger_checkpoints_total",
			Help:           "Attempts to write the ledger to the state directory, by result: ok or error.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"result"}),
	}
}

// Metrics returns the metrics of the evaluator, to be registered by the caller.
func (e *Evaluator) Metrics() []metrics.Registerable {
	return []metrics.Registerable{e.metrics.evaluations, e.metrics.duration, e.metrics.ledgerKeys, e.metrics.ledgerRefused, e.metrics.checkpoints}
}
