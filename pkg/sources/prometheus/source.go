// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package prometheus reads signals from anything that has the query API of
// Prometheus: Prometheus itself, Thanos, Mimir, VictoriaMetrics and managed ones.
//
// Increases are PromQL's (sources.Extrapolated): taken between the samples within
// the window, and extended to its bounds; see born.go for label sets that appear in
// it. Instance.First and Last are the samples that package sources asks for, so that
// a missed scrape at the start of the window shows as a First before it, while the
// figures stand for the window itself. With one sample in the window there is nothing
// in between, and First is Last: scrapes are too far apart for the window.
//
// A Read sends two queries for the instances of kube-apiservers, three where one of
// them tells no start time, and five to seven for those of kubelets. Then it sends one
// for each counter, two for each gauge and three for each histogram, and two more for
// those of which label sets were born; two for each native histogram, and one or two
// more; for the samples of a gauge one more for each scrape job. See plan for the two
// that are sent now and then. ReadHistory sends range queries of the same texts. It
// needs subqueries and the modifier @ (Prometheus 2.33).
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/component-base/metrics"

	"example.io/slo-apiserver/pkg/sources"
)

// Source reads from Prometheus. It is safe for concurrent use.
type Source struct {
	config  Config
	querier *querier
	// historian sends one query at a time beside those of querier.
	historian *querier

	mu    sync.Mutex
	plans map[sources.Component]*plan
}

var _ sources.Source = &Source{}

// New returns a source. It sends nothing; see Check.
func New(config Config) (*Source, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	config.Signals, config.Match = slices.Clone(config.Signals), maps.Clone(config.Match)
	config.Parameters = maps.Clone(config.Parameters)
	own, probed := newQueryMetrics(), &probedDialect{}
	queries := func(atOnce int) *querier {
		return &querier{
			client:     config.Client,
			parameters: config.Parameters,
			timeout:    config.Timeout,
			maxSeries:  config.MaxSeries,
			slots:      make(chan struct{}, atOnce),
			metrics:    own,
			probed:     probed,
		}
	}
	return &Source{
		config:    config,
		plans:     map[sources.Component]*plan{},
		querier:   queries(config.Concurrency),
		historian: queries(1),
	}, nil
}

// Metrics of the source itself, to be registered once.
func (s *Source) Metrics() []metrics.Registerable {
	return s.querier.metrics.all()
}

// Check says whether the URL is that of a Prometheus API which answers queries.
func (s *Source) Check(ctx context.Context) error {
	q := &session{querier: s.querier}
	s.querier.probed.forget()
	switch known, err := q.findDialect(ctx); {
	case err != nil:
		return fmt.Errorf("check Prometheus: %w", err)
	case !known:
		return fmt.Errorf("check Prometheus: %s answers the query 1 with something else", q.address())
	}
	return nil
}

// Read implements sources.Source. It fails with a *BusyError as soon as Prometheus
// asks to be left alone. A signal whose query fails is told from one that has no
// series by the warning in its Result.
func (s *Source) Read(ctx context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	if window < time.Second {
		return nil, fmt.Errorf("read Prometheus: a window of %s is too short", window)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &reader{Source: s, session: &session{querier: s.querier, at: at}, cancel: cancel, window: window, results: map[string]sources.Result{}}
	s.querier.metrics.readings.Inc()
	if _, err := r.session.findDialect(ctx); err != nil {
		return nil, fmt.Errorf("read Prometheus: %w", err)
	}
	components := s.components()
	selections := make([]*selection, len(components))
	var wg sync.WaitGroup
	for i, component := range components {
		wg.Go(func() { selections[i] = r.component(ctx, component) })
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("read Prometheus: %w", err)
	}
	reading := &sources.Reading{At: at, Window: window, Rule: r.session.dialect.rule(), Results: r.results,
		Origin: sources.Origin{Kind: sources.Queried, Address: r.querier.address()}}
	var failed []error
	for _, chosen := range selections {
		if chosen.err != nil {
			failed = append(failed, chosen.err)
			reading.Warnings = append(reading.Warnings, sources.Warning{Reason: sources.QueryFailed, Component: chosen.component, Message: chosen.err.Error()})
		}
		reading.Instances = append(reading.Instances, chosen.instances...)
		reading.Warnings = append(reading.Warnings, chosen.warnings...)
	}
	if len(failed) == len(components) {
		return nil, fmt.Errorf("read Prometheus: %w", errors.Join(failed...))
	}
	reading.Warnings = append(reading.Warnings, sources.Twins(reading.Instances)...)
	reading.Warnings = append(reading.Warnings, r.session.skewed(window)...)
	slices.Sort(r.session.warnings)
	for _, text := range r.session.warnings {
		reading.Warnings = append(reading.Warnings, backendWarning(text))
	}
	return reading, nil
}

// backendWarning tells remarks on style from what may be missing: see complete.
func backendWarning(text string) sources.Warning {
	if strings.HasPrefix(text, warns+"PromQL info: ") {
		return sources.Warning{Reason: sources.QueryRemark, Message: text}
	}
	return sources.Warning{Reason: sources.PartialResponse, Message: text}
}

// components of the signals, sorted.
func (s *Source) components() []sources.Component {
	var components []sources.Component
	for _, signal := range s.config.Signals {
		components = append(components, signal.Component)
	}
	slices.Sort(components)
	return slices.Compact(components)
}

func (s *Source) signalsOf(component sources.Component) []sources.Signal {
	return slices.DeleteFunc(slices.Clone(s.config.Signals), func(signal sources.Signal) bool { return signal.Component != component })
}

// reader is one Read under way.
type reader struct {
	*Source
	session *session
	window  time.Duration
	cancel  context.CancelCauseFunc

	mu      sync.Mutex
	results map[string]sources.Result
}

// component reads all signals of one component.
func (r *reader) component(ctx context.Context, component sources.Component) *selection {
	found, err := r.findTargets(ctx, r.session, component, r.window)
	if err != nil {
		r.failAll(component, err)
		return &selection{component: component, err: err}
	}
	chosen := r.choose(component, found, r.session.at, r.window)
	p, err := r.planFor(ctx, r.session, chosen, r.window)
	if err != nil {
		r.failAll(component, err)
		return chosen
	}
	var wg sync.WaitGroup
	for _, signal := range r.signalsOf(component) {
		wg.Go(func() {
			result, err := r.readSignal(ctx, r.session, signal, p, chosen, r.window)
			r.done(signal, result, err)
		})
	}
	wg.Wait()
	return chosen
}

// failAll says of every signal of a component that it could not be read.
func (r *reader) failAll(component sources.Component, err error) {
	for _, signal := range r.signalsOf(component) {
		r.done(signal, sources.Result{}, err)
	}
}

// done keeps the result of a signal. When Prometheus is busy all else stops.
func (r *reader) done(signal sources.Signal, result sources.Result, err error) {
	if busy, ok := errors.AsType[*BusyError](err); ok {
		r.cancel(busy)
	}
	if err != nil {
		result = sources.Result{Warnings: []sources.Warning{{Reason: sources.QueryFailed, Component: signal.Component, Message: err.Error()}}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[signal.Name] = result
}
