// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// objectivesInterval is how often the file of objectives is looked at: a change comes
// into force after two looks. The kubelet brings a changed ConfigMap within a minute or
// two.
const objectivesInterval = 5 * time.Second

// reload runs the source, and puts the objectives of a file in force whenever that
// changes.
//
// All of a new file comes into force with the next evaluation. Where it needs signals
// that the source does not read, a second source begins to read them, with all the
// others. The Prometheus source has a past and takes over at once. The embedded one
// has none: it runs beside the first until it covers a window, and takes over then;
// until then objectives over the new signals are Unknown for that reason, and all
// others go on with the figures of the first.
type reload struct {
	file      *objectivesFile
	evaluator *evaluation.Evaluator
	clock     clock.WithTicker
	window    time.Duration
	// build a source of these signals.
	build   func(signals []sources.Signal) (*source, error)
	metrics reloadMetrics
	// sourceMetrics are those of the source in force.
	sourceMetrics *sourceMetrics

	// Used by Run only.
	definitions   slo.Definitions
	state         evaluation.FileState
	current, next *runningSource
}

// newReload returns a reload with the definitions and the source of the start. A file
// that can not be used is an error, and so is a source that does not answer.
func (c CompletedConfig) newReload(ctx context.Context, objects *objects) (*reload, error) {
	if c.Source == (SourceConfig{}) {
		return nil, errNoSource
	}
	r := &reload{
		file:          &objectivesFile{path: c.ObjectivesFile, window: c.Window, minimumRequests: c.MinimumRequests},
		clock:         clock.RealClock{},
		window:        c.Window,
		build:         func(signals []sources.Signal) (*source, error) { return c.newSource(objects, signals) },
		metrics:       newReloadMetrics(),
		sourceMetrics: &sourceMetrics{},
	}
	definitions, _, err := r.file.load()
	switch {
	case err != nil && c.ObjectivesFile != "":
		return nil, fmt.Errorf("--objectives-file: %w", err)
	case err != nil:
		return nil, err
	}
	r.definitions = definitions
	r.state = evaluation.FileState{Name: r.file.path, Loaded: r.clock.Now()}
	signals := readable(definitions)
	source, err := r.build(signals)
	if err != nil {
		return nil, err
	}
	if source.check != nil {
		if err := source.check(ctx); err != nil {
			return nil, err
		}
	}
	r.current = &runningSource{source: source, signals: signals}
	return r, r.sourceMetrics.hold(source)
}

// Run the source in force and look at the file until ctx ends, and return when all
// sources have ended.
func (r *reload) Run(ctx context.Context) {
	r.current.start(ctx, r.clock.Now())
	defer func() {
		r.current.end()
		r.next.end()
	}()
	if r.file.path == "" {
		<-ctx.Done()
		return
	}
	ticker := r.clock.NewTicker(objectivesInterval)
	defer ticker.Stop()
	r.metrics.current.Set(1)
	r.metrics.loads.WithLabelValues("ok").Inc()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
			r.look(ctx)
			r.takeOver(ctx)
		}
	}
}

// look at the file. What it says comes into force, or why that can not be is said.
func (r *reload) look(ctx context.Context) {
	definitions, changed, err := r.file.load()
	if !changed {
		return
	}
	if err == nil {
		if err = r.define(ctx, definitions); err != nil {
			r.file.forget() // the file is all right: what keeps it from being in force may pass
		}
	}
	logger := klog.FromContext(ctx)
	if err != nil {
		if r.state.Problem != nil && r.state.Problem.Error() == err.Error() {
			return // was said
		}
		r.metrics.current.Set(0)
		r.metrics.loads.WithLabelValues("error").Inc()
		logger.Error(err, "The file of objectives can not be used; those of before stay in force", "file", r.file.path, "loaded", r.state.Loaded)
		r.state.Problem = err
		r.replace(ctx)
		return
	}
	r.metrics.current.Set(1)
	r.metrics.loads.WithLabelValues("ok").Inc()
	logger.Info("The file of objectives has changed and is in force", "file", r.file.path, "objectives", len(definitions.Objectives))
}

// define puts definitions in force. With an error those of before stay so.
func (r *reload) define(ctx context.Context, d slo.Definitions) error {
	wanted := readable(d)
	next := r.next
	switch {
	case includes(r.current.signals, wanted):
		next = nil
	case next == nil || !includes(next.signals, wanted):
		built, err := r.build(wanted)
		if err != nil {
			return fmt.Errorf("%s: the signals can not be read: %w", r.file.path, err)
		}
		next = &runningSource{source: built, signals: wanted}
		next.start(ctx, r.clock.Now())
	}
	if r.next != next {
		r.next.end()
		r.next = next
	}
	r.definitions = d
	r.state = evaluation.FileState{Name: r.file.path, Loaded: r.clock.Now()}
	if next != nil && next.historian != nil { // it has a past
		r.swap(ctx)
		return nil
	}
	r.replace(ctx)
	return nil
}

// takeOver lets the next source take over when it stands for a window.
func (r *reload) takeOver(ctx context.Context) {
	if r.next != nil && r.next.standsFor(ctx, r.current, r.clock.Now(), r.window) {
		r.swap(ctx)
		klog.FromContext(ctx).Info("The new signals are read for a whole window: their objectives are evaluated")
	}
}

func (r *reload) swap(ctx context.Context) {
	old := r.current
	r.current, r.next = r.next, nil
	if err := r.sourceMetrics.hold(r.current.source); err != nil {
		klog.FromContext(ctx).Error(err, "The metrics of the source are not served, please report it")
	}
	r.replace(ctx)
	// An evaluation that is under way may still read it: it has what it had.
	old.end()
}

// replace what the evaluator has by what is in force.
func (r *reload) replace(ctx context.Context) {
	if err := r.evaluator.Replace(r.inEffect()); err != nil {
		klog.FromContext(ctx).Error(err, "The objectives are not in force, please report it")
	}
}

func (r *reload) inEffect() evaluation.Definitions {
	d := evaluation.Definitions{Source: r.current, Historian: r.current.historian, Objectives: r.definitions.Objectives}
	var since, full time.Time
	if r.next != nil {
		since, full = r.next.began, r.next.began.Add(r.window)
	}
	d.Unread = unread(r.definitions, r.current.signals, since, full)
	if r.file.path != "" {
		state := r.state
		d.File = &state
	}
	return d
}
