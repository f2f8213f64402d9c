// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"fmt"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

const (
	// ReasonSourceUnavailable is the reason of conditions when the source did
	// not answer for longer than the maximum age.
	ReasonSourceUnavailable = "SourceUnavailable"
	// ReasonEvaluationFailed is the reason of conditions when the arithmetic
	// itself failed, which is a defect of this server.
	ReasonEvaluationFailed = "EvaluationFailed"
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
	d := e.adopt(now)
	defer func() { e.metrics.duration.Observe(e.Clock.Since(now).Seconds()) }()
	levels, schemas, err := e.FlowControl.Objects()
	if err != nil {
		err = fmt.Errorf("list priority levels and flow schemas: %w", err)
	}
	next := &Evaluation{Time: now, HeadroomsProblem: err}

	e.read(ctx, d, now)
	next.ReadingProblem = e.readErr
	if e.reading == nil || now.Sub(e.reading.At) > e.MaxAge {
		message := fmt.Sprintf("The source of the metrics does not answer: %v", e.readErr)
		next.Reports = slo.Unknown(d.Objectives, ReasonSourceUnavailable, message)
		next.indicators = e.indicators(ctx, now, slo.Unassessed(d.Objectives, ReasonSourceUnavailable))
		e.record(ctx, d, next, nil)
		next.Headrooms = apf.Unknown(levels, schemas, ReasonSourceUnavailable, message)
		e.publish(next, "unavailable")
		return next
	}
	next.Reading = e.reading
	result := "ok"
	if e.readErr != nil {
		result = "stale"
	}
	if !e.compute(ctx, d, next, levels, schemas) {
		result = "error"
	}
	if e.readErr != nil {
		next.markStale(e.reading.At, e.readErr)
	}
	e.publish(next, result)
	return next
}

// compute derives the objects from the reading, and reports whether all of it
// went well. What one reading breaks is Unknown, and the other kind is served.
func (e *Evaluator) compute(ctx context.Context, d *Definitions, next *Evaluation, levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) bool {
	reportsErr := e.judge(ctx, d, next)
	headroomsErr := guard(ctx, "evaluate the priority levels", func() {
		next.Headrooms = apf.Evaluate(e.reading, levels, schemas, apf.Options{Expected: e.expected()[sources.KubeAPIServer]})
	})
	if headroomsErr != nil {
		next.Headrooms = apf.Unknown(levels, schemas, ReasonEvaluationFailed, headroomsErr.Error())
	}
	return reportsErr == nil && headroomsErr == nil
}

// read replaces the reading, or keeps the last one beside the error.
func (e *Evaluator) read(ctx context.Context, d *Definitions, now time.Time) {
	if now.Before(e.readAgain) {
		return
	}
	var reading *sources.Reading
	var err error
	if panicked := guard(ctx, "read the source", func() { reading, err = d.Source.Read(ctx, now, e.Window) }); panicked != nil {
		err = panicked
	}
	e.readErr = err
	if err == nil {
		e.reading = reading
		return
	}
	// A source that fails slowly is left alone for as long as it was kept busy: a
	// read may take a whole interval, and the next would follow at once.
	failed := e.Clock.Now()
	wait := failed.Sub(now)
	var told retryAfter
	if errors.As(err, &told) {
		wait = max(wait, told.RetryAfter())
	}
	// Not for longer than the last reading stands in: a day would be blindness.
	e.readAgain = failed.Add(min(wait, e.MaxAge))
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

// expected instances in the cluster by component; none when that is not known.
func (e *Evaluator) expected() map[sources.Component]int {
	if e.Expected == nil {
		return nil
	}
	return e.Expected()
}
