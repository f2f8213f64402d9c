// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// findMany reads one sample per question and instance: what thousands of kubelets
// can be asked. A restart within the window shows in the start time. First is a
// sample of the lookback before the window; where there is none, and the process
// is older, one that is as late as sources.Slack allows, or else Last: Prometheus
// has known the instance for less than a window.
func (s *Source) findMany(ctx context.Context, q *session, component sources.Component, window time.Duration) (targets, error) {
	clock := startTime
	found, err := s.askMany(ctx, q, component, window, clock)
	if err != nil {
		return nil, err
	}
	known := false
	for _, t := range found {
		known = known || t.last > 0
	}
	if !known && len(found) > 0 { // no start times: scrapes are all there is to go by
		clock = "up"
		if found, err = s.askMany(ctx, q, component, window, clock); err != nil {
			return nil, err
		}
	}
	start := seconds(q.at.Add(-window))
	late := targets{}
	for key, t := range found {
		switch {
		case t.first == 0 && t.started > start:
			t.first, t.born = t.started, true
		case t.first == 0:
			t.first, late[key] = t.last, t
		}
	}
	if len(late) > 0 {
		if err := s.askLate(ctx, q, component, window, clock, late); err != nil {
			return nil, err
		}
	}
	return found, s.findRestarts(ctx, q, component, window, found)
}

// askLate asks for samples near the start of the window of those that have none
// before it.
func (s *Source) askLate(ctx context.Context, q *session, component sources.Component, window time.Duration, clock string, late targets) error {
	matchers := slices.Concat(s.config.matchers(component), []string{s.config.job(component)})
	sample := s.newestSample(clock, matchers, " offset "+duration(window-sources.Slack(window)))
	return q.query(ctx, fmt.Sprintf("max by (job,instance,node) (%s)", sample), func(one *series) error {
		if t := late[targetKey{job: one.label("job"), instance: one.label("instance")}]; t != nil {
			t.first = one.points[0].value
		}
		return nil
	})
}

// askMany takes the times from the samples of the metric clock.
func (s *Source) askMany(ctx context.Context, q *session, component sources.Component, window time.Duration, clock string) (targets, error) {
	matchers := slices.Concat(s.config.matchers(component), []string{s.config.job(component)})
	found := targets{}
	if err := s.askUp(ctx, q, matchers, window, found); err != nil {
		return nil, err
	}
	questions := []struct {
		promql string
		answer func(t *target) *float64
	}{
		{s.untilFailed(selector(startTime, matchers), "last_over_time(%s[%s])", matchers, ""), func(t *target) *float64 { return &t.started }},
		{s.newestSample(clock, matchers, ""), func(t *target) *float64 { return &t.last }},
		{s.newestSample(clock, matchers, " offset "+duration(window)), func(t *target) *float64 { return &t.first }},
	}
	for _, question := range questions {
		err := q.query(ctx, fmt.Sprintf("max by (job,instance,node) (%s)", question.promql), func(one *series) error {
			*question.answer(found.of(one)) = one.points[0].value
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for key, t := range found {
		if t.last == 0 && math.IsNaN(t.up) { // neither up nor a sample at the end: it was there before the window only
			delete(found, key)
		}
	}
	return found, nil
}

// newestSample is the time of the newest sample of a metric whose scrapes succeed,
// as of offset.
func (s *Source) newestSample(clock string, matchers []string, offset string) string {
	sample := selector(clock, matchers) + offset
	// That of a series which has ended goes on in MetricsQL, but for "and".
	times := "(timestamp(" + sample + ") and " + sample + ")"
	if clock == "up" {
		times = "(timestamp(" + sample + ") and " + sample + " == 1)"
	}
	return s.untilFailed(times, "max_over_time(%s[%s:"+failedStep+"])", matchers, offset)
}

// failedStep is the shortest usual interval between two scrapes: looking that often
// misses no sample.
const failedStep = "15s"

// untilFailed is an expression with what it was, or what over makes of it, within
// the last MaxAge where the newest scrape failed: that ends all series of a target.
func (s *Source) untilFailed(expression, over string, matchers []string, offset string) string {
	past := fmt.Sprintf(over, expression, duration(s.config.MaxAge))
	return fmt.Sprintf("%s or %s and on (job,instance) %s%s == 0", expression, past, selector("up", matchers), offset)
}
