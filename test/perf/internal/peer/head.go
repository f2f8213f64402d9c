// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package peer is what this project is measured against: the parser, the storage
// and the query engine of Prometheus, as libraries, put together as Prometheus
// puts them together.
package peer

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Storage is a head in memory, with the options of Prometheus, but without a
// write-ahead log: nothing of it goes to disk within ten minutes.
type Storage struct {
	head   *tsdb.Head
	dir    string
	engine *promql.Engine
}

// NewStorage returns an empty one that begins at a time. Close it.
func NewStorage(begin time.Time) (*Storage, error) {
	dir, err := os.MkdirTemp("", "perf-head-")
	if err != nil {
		return nil, err
	}
	options := tsdb.DefaultHeadOptions()
	options.ChunkDirRoot = dir
	// Of cmd/prometheus with created-timestamp-zero-ingestion, which Loop decides on.
	options.EnableSTAsZeroSample = true
	silent := slog.New(slog.DiscardHandler)
	head, err := tsdb.NewHead(nil, silent, nil, nil, options, nil)
	if err == nil {
		err = head.Init(begin.Add(-48 * time.Hour).UnixMilli())
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("tsdb head: %w", err)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		Logger:               silent,
		MaxSamples:           50_000_000,      // --query.max-samples
		Timeout:              2 * time.Minute, // --query.timeout
		LookbackDelta:        5 * time.Minute, // --query.lookback-delta
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		Parser:               parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true}),
	})
	return &Storage{head: head, dir: dir, engine: engine}, nil
}

// Close frees all of it. What was measured stands, whatever becomes of its files:
// there is no error that a caller could do anything about.
func (s *Storage) Close() {
	_ = s.head.Close()
	_ = os.RemoveAll(s.dir)
}

// Series is how many it holds.
func (s *Storage) Series() uint64 { return s.head.NumSeries() }

// Querier reads what was stored; it makes Storage a storage.Queryable.
func (s *Storage) Querier(mint, maxt int64) (storage.Querier, error) {
	return tsdb.NewBlockQuerier(tsdb.NewRangeHead(s.head, mint, maxt), mint, maxt)
}

// Query evaluates an expression at one instant. The result is nothing that the
// engine still owns.
func (s *Storage) Query(ctx context.Context, expression string, at time.Time) (promql.Vector, error) {
	query, err := s.engine.NewInstantQuery(ctx, s, nil, expression, at)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expression, err)
	}
	defer query.Close()
	result := query.Exec(ctx)
	vector, err := result.Vector()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expression, err)
	}
	return append(promql.Vector(nil), vector...), nil
}
