// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package evaluation makes one evaluation per interval, shared by all readers,
// while somebody reads or watches, and one a minute for the ledger of days.
package evaluation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/utils/clock"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// ResourceClasses tells which resources are the cluster's own.
type ResourceClasses interface {
	// Classes returns nil with the reason when they are not known.
	Classes() (*slo.Resources, error)
}

// FlowControl tells how the priority levels are configured.
type FlowControl interface {
	// Objects returns all levels and flow schemas, or why they are not known.
	Objects() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error)
}

// Evaluation is everything served at one time: all of it was derived from one
// reading. It is immutable and shared between readers.
type Evaluation struct {
	// ResourceVersion grows with every evaluation, also over a restart.
	ResourceVersion uint64
	// Time is when the evaluation was made.
	Time time.Time
	// Reports are sorted by name.
	Reports []v1alpha1.SLOReport
	// indicators of every key; see Indicators.
	indicators func() ([]v1alpha1.ServiceLevelIndicator, error)
	// Headrooms are sorted by name.
	Headrooms []v1alpha1.APFHeadroom
	// HeadroomsProblem says why there are none: which priority levels the cluster
	// has is not known. An empty list would be a lie.
	HeadroomsProblem error
	// Reading that all of it was derived from; nil when there is none, or one that is
	// too old to be served.
	Reading *sources.Reading
	// ReadingProblem says why there is no Reading, or why it is an old one.
	ReadingProblem error
}

// Config of an Evaluator. Every field is needed but Historian, Unread, File, Expected
// and StateDir. Source, Historian, Objectives, Unread and File are those at the start: see
// Replace.
type Config struct {
	Source sources.Source
	// Historian has the history of the source. Nil: minutes before this server
	// started are not read from there.
	Historian   sources.Historian
	Resources   ResourceClasses
	FlowControl FlowControl
	Objectives  []slo.Objective
	// Unread are signals of objectives that the source does not read, by name, and
	// File is what they are from; see Definitions.
	Unread map[string]slo.Unread
	File   *FileState
	// EveryKubelet says that the source is to know the kubelets of all nodes: with
	// fewer, some are missing. Not where they are chosen.
	EveryKubelet bool
	// Expected is how many instances of a component the cluster knows, at least, at the
	// time that it is called; a component that is not known is absent. Nil: none is.
	Expected func() map[sources.Component]int
	// Window is read at every evaluation.
	Window time.Duration
	// Interval is the age up to which an evaluation is served again.
	Interval time.Duration
	// Timeout bounds one read of the source.
	Timeout time.Duration
	// MaxAge is the age up to which the last reading stands in, marked Stale,
	// for a source that does not answer.
	MaxAge time.Duration
	Clock  clock.Clock
	// StateDir is the directory in which the ledger of days is kept over a
	// restart. Empty: in memory only.
	StateDir string
}

// Evaluator makes and keeps the latest Evaluation.
type Evaluator struct {
	Config
	metrics evaluationMetrics
	flight  singleflight.Group
	days    days
	// replacement of the definitions, until the next evaluation adopts it.
	replacement atomic.Pointer[Definitions]

	// Used by New and RunLedger only.
	state           *state // nil: in memory only
	checkpointFails bool

	// Set by New.
	started  time.Time
	restored restored

	mu     sync.Mutex
	latest *Evaluation

	// Used within the flight only, of which there is one at a time.
	reading   *sources.Reading
	readErr   error
	readAgain time.Time
}

// New returns an Evaluator, or an error that names what is missing. It reads the
// ledger back from the state directory, which has to be writable. A checkpoint that
// can not be used is set aside, and is no error.
func New(config Config) (*Evaluator, error) {
	switch {
	case config.Source == nil, config.Resources == nil, config.FlowControl == nil, config.Clock == nil:
		return nil, errors.New("an evaluator needs a source, resource classes, flow control objects and a clock")
	case len(config.Objectives) == 0:
		return nil, errors.New("an evaluator needs at least one objective")
	case config.Window <= 0, config.Interval <= 0, config.Timeout <= 0, config.MaxAge < config.Interval:
		return nil, fmt.Errorf("window %s, interval %s and timeout %s must be positive, and the maximum age %s not below the interval",
			config.Window, config.Interval, config.Timeout, config.MaxAge)
	}
	ledger, err := slo.NewLedger(config.Objectives)
	if err != nil {
		return nil, err
	}
	e := &Evaluator{Config: config, metrics: newEvaluationMetrics(), started: config.Clock.Now()}
	e.days.ledger, e.days.begun = ledger, map[string]time.Time{}
	e.days.definitions = &Definitions{
		Source: config.Source, Historian: config.Historian, Objectives: config.Objectives,
		Unread: config.Unread, File: config.File,
	}
	if config.StateDir != "" {
		if err := e.restore(config.StateDir); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Latest returns the latest evaluation, and makes one when that is older than
// the interval. However many callers wait, one evaluation is made; it goes on
// when a caller gives up, for the others.
func (e *Evaluator) Latest(ctx context.Context) (*Evaluation, error) {
	return e.since(ctx, time.Time{})
}

// since is Latest for an evaluation that is not older than that time. It may be,
// when the flight of somebody else was under way.
func (e *Evaluator) since(ctx context.Context, oldest time.Time) (*Evaluation, error) {
	if latest := e.fresh(oldest); latest != nil {
		return latest, nil
	}
	done := e.flight.DoChan("", func() (any, error) {
		// A second look: a flight may have landed since the first.
		if latest := e.fresh(oldest); latest != nil {
			return latest, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.Timeout)
		defer cancel()
		var evaluation *Evaluation
		if err := guard(ctx, "evaluate", func() { evaluation = e.evaluate(ctx) }); err != nil {
			e.metrics.evaluations.WithLabelValues("error").Inc()
			return nil, err
		}
		return evaluation, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-done:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*Evaluation), nil
	}
}

// Next blocks until there is an evaluation newer than after and returns it. A
// caller that loops over it keeps evaluations being made.
func (e *Evaluator) Next(ctx context.Context, after uint64) (*Evaluation, error) {
	for {
		latest, err := e.Latest(ctx)
		if err != nil {
			return nil, err
		}
		if latest.ResourceVersion > after {
			return latest, nil
		}
		timer := e.Clock.NewTimer(latest.Time.Add(e.Interval).Sub(e.Clock.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C():
		}
	}
}

func (e *Evaluator) fresh(oldest time.Time) *Evaluation {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.latest == nil || e.latest.Time.Before(oldest) {
		return nil
	}
	// A clock that was set back makes the age negative: evaluate then, too.
	if age := e.Clock.Since(e.latest.Time); age < 0 || age >= e.Interval {
		return nil
	}
	return e.latest
}
