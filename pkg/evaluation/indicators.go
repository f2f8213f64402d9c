// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"sync"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
)

// Indicators returns one indicator of every key of every objective, sorted by name.
// The first reader has them made, and all get the same: who reads reports only does
// not pay for them. Nobody may change them.
func (e *Evaluation) Indicators() ([]v1alpha1.ServiceLevelIndicator, error) {
	return e.indicators()
}

// indicators of an evaluation at that time, for the first who asks. Their days are
// those of the ledger when it does: the minute that goes on may have been recorded
// since.
func (e *Evaluator) indicators(ctx context.Context, at time.Time, assessments []slo.Assessment) func() ([]v1alpha1.ServiceLevelIndicator, error) {
	ctx = context.WithoutCancel(ctx)
	return sync.OnceValues(func() (indicators []v1alpha1.ServiceLevelIndicator, err error) {
		err = guard(ctx, "make the indicators", func() {
			indicators = slo.Indicators(assessments, func(objective string) slo.Days {
				e.days.mu.Lock()
				defer e.days.mu.Unlock()
				return slo.Days{Whole: e.days.ledger.Day(objective, at), Keys: e.days.ledger.KeyDays(objective, at)}
			})
		})
		return indicators, err
	})
}
