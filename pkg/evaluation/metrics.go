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

	backfilled     *metrics.Counter
	backfillLeft   *metrics.Gauge
	backfillChunks *metrics.CounterVec
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
		backfilled: metrics.NewCounter(&metrics.CounterOpts{
			Namespace:      "slo_apiserver",
			Name:           "ledger_backfilled_verdicts_total",
			Help:           "Verdicts on minutes of objectives that were filled in from the history of the source.",
			StabilityLevel: metrics.ALPHA,
		}),
		backfillLeft: metrics.NewGauge(&metrics.GaugeOpts{
			Namespace:      "slo_apiserver",
			Name:           "ledger_backfill_left",
			Help:           "Minutes that are still to be read from the history of the source, for each signal on its own.",
			StabilityLevel: metrics.ALPHA,
		}),
		backfillChunks: metrics.NewCounterVec(&metrics.CounterOpts{
			Namespace:      "slo_apiserver",
			Name:           "ledger_backfill_chunks_total",
			Help:           "Attempts to read an hour or less from the history of the source, by result: ok or error.",
			StabilityLevel: metrics.ALPHA,
		}, []string{"result"}),
	}
}

func (m *evaluationMetrics) observeChunk(err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.backfillChunks.WithLabelValues(result).Inc()
}

// Metrics returns the metrics of the evaluator, to be registered by the caller.
func (e *Evaluator) Metrics() []metrics.Registerable {
	m := e.metrics
	return []metrics.Registerable{m.evaluations, m.duration, m.ledgerKeys, m.ledgerRefused, m.checkpoints,
		m.backfilled, m.backfillLeft, m.backfillChunks}
}
