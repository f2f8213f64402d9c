// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package computed serves objects that nobody stores: an evaluation makes all of
// them at once, and get, list and watch answer from it.
//
// It is the one place that knows the rules of the Kubernetes API for reading:
// selectors, resource versions, watch events, tables and the errors that belong
// to them. What the objects mean is the business of the packages that declare a
// Kind.
package computed

import "context"

// Snapshot is the outcome of one evaluation. It is immutable and shared by all
// that read it.
type Snapshot[T any] struct {
	// ResourceVersion of the evaluation, never 0. A later evaluation has a greater
	// one, by two at least: a watch needs the number in between.
	ResourceVersion uint64
	// Items sorted by name, each name once. The resourceVersion of an item is
	// set when it is served.
	Items []T
}

// Provider evaluates. An error means that there is no evaluation at all, as at
// shutdown: trouble with a source of metrics shows in the conditions of the
// objects instead. All methods are safe for concurrent use and return when ctx
// ends.
type Provider[T any] interface {
	// Latest returns the newest evaluation. It evaluates first when that one is
	// older than the interval between evaluations, or when there is none.
	Latest(ctx context.Context) (*Snapshot[T], error)
	// Next returns the newest evaluation whose resource version is greater than
	// after, and blocks until there is one. Evaluations go on for as long as
	// anybody waits in Next; a caller that is late finds the newest, not the
	// ones it missed.
	Next(ctx context.Context, after uint64) (*Snapshot[T], error)
}
