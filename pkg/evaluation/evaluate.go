// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
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

// evaluate makes one evaluation. Trouble of the source is part of its answer, so
// that list, wait and controllers see why; it fails only where it can not even
// name the objects.
func (e *Evaluator) evaluate(ctx context.Context) (*Evaluation, error) {
	now := e.Clock.Now()
	defer func() { e.metrics.duration.Observe(e.Clock.Since(now).Seconds()) }()
	levels, schemas, err := e.FlowControl.Objects()
	if err != nil {
		e.metrics.evaluations.WithLabelValues("error").Inc()
		return nil, fmt.Errorf("list priority levels and flow schemas: %w", err)
	}
	e.read(ctx, now)

	next := &Evaluation{Time: now}
	stale := e.readErr != nil
	result := "ok"
	switch {
	case e.reading == nil || now.Sub(e.reading.At) > e.MaxAge:
		message := fmt.Sprintf("The source of the metrics does not answer: %v", e.readErr)
		next.Reports = slo.Unknown(e.Objectives, ReasonSourceUnavailable, message)
		next.Headrooms = apf.Unknown(levels, schemas, ReasonSourceUnavailable, message)
		stale, result = false, "unavailable"
	default:
		// Without classes the reports say why they are Unknown.
		classes, err := e.Resources.Classes()
		next.Reports = slo.Evaluate(e.Objectives, e.reading, classes, slo.Options{ResourcesProblem: err})
		next.Headrooms = apf.Evaluate(e.reading, levels, schemas)
		if stale {
			result = "stale"
		}
	}
	e.metrics.evaluations.WithLabelValues(result).Inc()
	e.finish(next, stale)
	return next, nil
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
		e.readAgain = now.Add(told.RetryAfter())
	}
}

// finish gives the objects their version and the times of their transitions, and
// publishes them.
func (e *Evaluator) finish(next *Evaluation, stale bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next.ResourceVersion = uint64(max(next.Time.UnixMilli(), 1))
	last := e.latest
	if last == nil {
		last = &Evaluation{}
	}
	// Two more than the last: the registry needs a version between evaluations.
	next.ResourceVersion = max(next.ResourceVersion, last.ResourceVersion+2)
	at := metav1.NewTime(next.Time.Truncate(time.Second))

	before := map[string][]metav1.Condition{}
	for i := range last.Reports {
		before[last.Reports[i].Name] = last.Reports[i].Status.Conditions
	}
	for i := range next.Reports {
		report := &next.Reports[i]
		e.finishConditions(report.Status.Conditions, before[report.Name], at, stale)
	}
	clear(before)
	for i := range last.Headrooms {
		before[last.Headrooms[i].Name] = last.Headrooms[i].Status.Conditions
	}
	for i := range next.Headrooms {
		headroom := &next.Headrooms[i]
		e.finishConditions(headroom.Status.Conditions, before[headroom.Name], at, stale)
	}
	e.latest = next
}

// finishConditions marks stale data, and keeps the transition time of every
// condition whose status did not change.
func (e *Evaluator) finishConditions(conditions, before []metav1.Condition, at metav1.Time, stale bool) {
	for i := range conditions {
		condition := &conditions[i]
		if stale && condition.Type == v1alpha1.ConditionDataComplete {
			condition.Status = metav1.ConditionFalse
			condition.Reason = ReasonStale
			condition.Message = fmt.Sprintf("The figures are those of %s, since the source does not answer: %v",
				e.reading.At.UTC().Format(time.RFC3339), e.readErr)
		}
		condition.LastTransitionTime = at
		for j := range before {
			if before[j].Type == condition.Type && before[j].Status == condition.Status {
				condition.LastTransitionTime = before[j].LastTransitionTime
			}
		}
	}
}
