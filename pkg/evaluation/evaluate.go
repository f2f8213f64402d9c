// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/slo"
)

const (
	// ReasonSourceUnavailable is the reason of conditions when the source did
	// not answer for longer than the maximum age.
	ReasonSourceUnavailable = "SourceUnavailable"
	// ReasonStale is the reason of DataComplete=False while the last reading
	// stands in for a source that does not answer.
	ReasonStale = "Stale"
)

// retryAfter is implemented by errors of sources that were told when to come back.
type retryAfter interface{ RetryAfter() time.Duration }

// evaluate makes one evaluation. Trouble is part of its answer, so that list,
// wait and controllers see why.
func (e *Evaluator) evaluate(ctx context.Context) *Evaluation {
	now := e.Clock.Now()
	defer func() { e.metrics.duration.Observe(e.Clock.Since(now).Seconds()) }()
	levels, schemas, err := e.FlowControl.Objects()
	if err != nil {
		err = fmt.Errorf("list priority levels and flow schemas: %w", err)
	}
	next := &Evaluation{Time: now, HeadroomsProblem: err}

	e.read(ctx, now)
	if e.reading == nil || now.Sub(e.reading.At) > e.MaxAge {
		message := fmt.Sprintf("The source of the metrics does not answer: %v", e.readErr)
		next.Reports = slo.Unknown(e.Objectives, ReasonSourceUnavailable, message)
		next.Headrooms = apf.Unknown(levels, schemas, ReasonSourceUnavailable, message)
		e.publish(next, "unavailable")
		return next
	}
	// Without classes the reports say why they are Unknown.
	classes, err := e.Resources.Classes()
	next.Reports = slo.Evaluate(e.Objectives, e.reading, classes, slo.Options{ResourcesProblem: err})
	next.Headrooms = apf.Evaluate(e.reading, levels, schemas)
	result := "ok"
	if e.readErr != nil {
		result = "stale"
		next.markStale(e.reading.At, e.readErr)
	}
	e.publish(next, result)
	return next
}

// read replaces the reading, or keeps the last one beside the error.
func (e *Evaluator) read(ctx context.Context, now time.Time) {
	if now.Before(e.readAgain) {
		return
	}
	reading, err := e.Source.Read(ctx, now, e.Window)
	e.readErr = err
	if err == nil {
		e.reading = reading
		return
	}
	var told retryAfter
	if errors.As(err, &told) {
		// Not for longer than the last reading stands in: a day would be blindness.
		e.readAgain = now.Add(min(told.RetryAfter(), e.MaxAge))
	}
}

// publish gives an evaluation its version, and its conditions the times of their
// transitions, and makes it the latest.
func (e *Evaluator) publish(next *Evaluation, result string) {
	e.metrics.evaluations.WithLabelValues(result).Inc()
	e.mu.Lock()
	defer e.mu.Unlock()
	last := e.latest
	if last == nil {
		last = &Evaluation{}
	}
	// Two more than the last: the registry needs a version between evaluations.
	next.ResourceVersion = max(uint64(max(next.Time.UnixMilli(), 1)), last.ResourceVersion+2)
	next.carryTransitions(last)
	e.latest = next
}
