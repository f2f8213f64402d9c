// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

var _ sources.Historian = &Source{}

// ReadHistory implements sources.Historian. It takes the steps of a Read at every
// instant, with the same texts; what is behind them are range queries (see past),
// one at a time, whatever a Read is doing meanwhile. While nothing changes these are
// six for a histogram of kube-apiservers, nine for one of kubelets and four for a
// counter, one for each counter or gauge beside them, and three for a component more.
// Where a Read goes on with the warnings of Prometheus beside its figures, a history
// fails: see complete.
func (s *Source) ReadHistory(ctx context.Context, wanted sources.History, each func(*sources.Reading) error) error {
	signals, err := s.historic(wanted)
	if err != nil {
		return fmt.Errorf("read the history of Prometheus: %w", err)
	}
	// A source of these signals, which makes plans of its own.
	one := &Source{config: s.config, querier: s.historian, plans: map[sources.Component]*plan{}}
	one.config.Signals = signals
	p := &past{
		last: wanted.Last, step: wanted.Step,
		buckets: []string{oneOf("le", spellings(wanted.Bounds))},
		labels:  map[string][]string{wanted.Signal: wanted.Labels},
		kept:    map[string][]history{},
		most:    mostRanges * len(signals),
	}
	first := &session{querier: one.querier}
	if _, err := first.findDialect(ctx); err != nil {
		return fmt.Errorf("read the history of Prometheus: %w", err)
	}
	for at := wanted.First; !at.After(wanted.Last); at = at.Add(wanted.Step) {
		reading, err := one.readPast(ctx, &session{querier: one.querier, dialect: first.dialect, at: at, past: p}, wanted.Window)
		if err != nil {
			return fmt.Errorf("read the history of Prometheus: %w", err)
		}
		if err := each(reading); err != nil {
			return err
		}
	}
	return nil
}

// historic returns the signals of a history that can be read, its own first.
func (s *Source) historic(wanted sources.History) ([]sources.Signal, error) {
	var signals []sources.Signal
	for _, name := range append([]string{wanted.Signal}, wanted.Beside...) {
		i := slices.IndexFunc(s.config.Signals, func(signal sources.Signal) bool { return signal.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no signal %q", name)
		}
		signals = append(signals, s.config.Signals[i])
	}
	own := signals[0]
	switch foreign := func(label string) bool { return !slices.Contains(own.Labels, label) }; {
	case own.Kind == sources.Gauge || own.PerInstance:
		return nil, fmt.Errorf("the signal %q is no histogram or counter over all instances", own.Name)
	case own.Kind == sources.Histogram && (len(wanted.Bounds) == 0 || len(wanted.Labels) > 0):
		return nil, errors.New("no bucket is wanted, or some labels of a histogram")
	case own.Kind == sources.Counter && (len(wanted.Bounds) > 0 || len(wanted.Labels) == 0 || slices.ContainsFunc(wanted.Labels, foreign)):
		return nil, fmt.Errorf("a bucket of a counter, no label or another one than %q is wanted", own.Labels)
	case slices.ContainsFunc(signals[1:], func(beside sources.Signal) bool { return beside.Kind == sources.Histogram }):
		return nil, errors.New("a histogram is wanted beside another signal")
	case wanted.Window < time.Second || wanted.Step < time.Second:
		return nil, fmt.Errorf("a window of %s or a step of %s is too short", wanted.Window, wanted.Step)
	}
	return signals, nil
}

// readPast is a Read that fails as soon as a query does, and when an answer may not be
// all there is.
func (s *Source) readPast(ctx context.Context, q *session, window time.Duration) (*sources.Reading, error) {
	reading := &sources.Reading{At: q.at, Window: window, Rule: q.dialect.rule(), Results: map[string]sources.Result{}}
	for _, component := range s.components() {
		found, err := s.findTargets(ctx, q, component, window)
		if err != nil {
			return nil, err
		}
		chosen := s.choose(component, found, q.at, window)
		p, err := s.planFor(ctx, q, chosen, window)
		if err != nil {
			return nil, err
		}
		reading.Instances = append(reading.Instances, chosen.instances...)
		reading.Warnings = append(reading.Warnings, chosen.warnings...)
		for _, signal := range s.signalsOf(component) {
			result, err := s.readSignal(ctx, q, signal, p, chosen, window)
			if err != nil {
				return nil, err
			}
			reading.Results[signal.Name] = result
		}
	}
	reading.Warnings = append(reading.Warnings, sources.Twins(reading.Instances)...)
	return reading, q.complete()
}

// complete fails with the first warning that came with an answer. Thanos and Mimir
// tell in this way that stores were left out, in words of their own, so that any
// warning counts but those on the style of a query: Prometheus 2 has these among the
// warnings (util/annotations), and Prometheus 3 apart from them, as infos.
func (s *session) complete() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, warning := range s.warnings {
		if !strings.HasPrefix(warning, warns+"PromQL info: ") {
			return fmt.Errorf("an answer may be partial: %s", warning)
		}
	}
	return nil
}

// spellings are the values that the label le may have for these bounds and for +Inf:
// Prometheus 2 keeps what a target exposes, mostly "1", and Prometheus 3 makes "1.0"
// of it (https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values).
func spellings(bounds []float64) []string {
	var all []string
	for _, bound := range bounds {
		short := strconv.FormatFloat(bound, 'g', -1, 64)
		all = append(all, short)
		if !strings.ContainsAny(short, ".e") && !math.IsInf(bound, 0) {
			all = append(all, short+".0")
		}
	}
	return append(all, "+Inf")
}
