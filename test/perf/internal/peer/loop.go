// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// Options of a Loop.
type Options struct {
	// Instance and Job are labels of the target.
	Instance, Job string
	// Keep restricts the families to store, as a metric_relabel_config with the
	// action keep does; nil keeps all.
	Keep func(metric string) bool
	// Created stores a zero at the time of creation of a series, as
	// --enable-feature=created-timestamp-zero-ingestion does. Protobuf only.
	Created bool
}

// Loop scrapes one target into a storage as prometheus/scrape does: the bytes of
// each series are looked up in a cache, so that a series that was seen before is
// neither parsed into labels nor hashed again.
type Loop struct {
	options Options
	storage *Storage
	symbols *labels.SymbolTable
	scratch labels.Builder
	cache   cache
}

// NewLoop returns a loop that has seen nothing.
func NewLoop(s *Storage, options Options) *Loop {
	return &Loop{options: options, storage: s, symbols: labels.NewSymbolTable(), cache: newCache()}
}

// Scrape stores one answer of the target and returns its number of samples. A nil
// body is a failed scrape: all series end.
func (l *Loop) Scrape(ctx context.Context, body []byte, contentType string, at time.Time) (samples int, err error) {
	app := l.storage.head.Appender(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("scrape %s: %w", l.options.Instance, err), app.Rollback())
			return
		}
		err = app.Commit()
	}()
	t := at.UnixMilli()
	if len(body) > 0 {
		if samples, err = l.append(app, body, contentType, t); err != nil {
			return samples, err
		}
	}
	err = l.cache.stale(func(e *entry) error {
		_, err := app.Append(0, e.labels, t, math.Float64frombits(value.StaleNaN))
		if errors.Is(err, storage.ErrOutOfOrderSample) || errors.Is(err, storage.ErrDuplicateSampleForTimestamp) {
			return nil
		}
		return err
	})
	l.cache.done(len(body) > 0)
	return samples, err
}

func (l *Loop) append(app storage.Appender, body []byte, contentType string, t int64) (samples int, err error) {
	// As with the defaults of a scrape configuration: no native histograms.
	parser, err := textparse.New(body, contentType, l.symbols, textparse.ParserOptions{IgnoreNativeHistograms: true})
	if err != nil {
		return 0, err
	}
	var set labels.Labels
	for {
		kind, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return samples, err
		}
		switch kind {
		case textparse.EntrySeries:
		case textparse.EntryType:
			l.cache.metadata(parser.Type())
			continue
		default:
			continue
		}
		series, _, v := parser.Series()
		samples++
		if l.cache.isDropped(series) {
			continue
		}
		e := l.cache.get(series)
		if e == nil {
			parser.Labels(&set)
			if l.options.Keep != nil && !l.options.Keep(set.Get(model.MetricNameLabel)) {
				l.cache.drop(series)
				continue
			}
			e = &entry{labels: l.target(set)}
		}
		if err := l.sample(app, parser, e, t, v); err != nil {
			return samples, fmt.Errorf("%s: %w", series, err)
		}
		l.cache.seen(series, e)
	}
}

func (l *Loop) sample(app storage.Appender, parser textparse.Parser, e *entry, t int64, v float64) (err error) {
	if l.options.Created {
		if created := parser.StartTimestamp(); created != 0 {
			// Known already, or too long ago: Prometheus goes on, too.
			if ref, err := app.AppendSTZeroSample(e.ref, e.labels, t, created); err == nil {
				e.ref = ref
			}
		}
	}
	e.ref, err = app.Append(e.ref, e.labels, t, v)
	return err
}

// target adds the labels of the target to those of a series.
func (l *Loop) target(set labels.Labels) labels.Labels {
	l.scratch.Reset(set)
	l.scratch.Set("instance", l.options.Instance)
	l.scratch.Set("job", l.options.Job)
	return l.scratch.Labels()
}
