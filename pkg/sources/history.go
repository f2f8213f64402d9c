// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"context"
	"time"
)

// Historian is a Source that remembers more than the last window.
type Historian interface {
	// ReadHistory calls each with one Reading for every instant of the history,
	// oldest first: that which Read would have returned then, of the one signal and
	// its buckets alone. The other signals have no Result, the instances are those of
	// the component of the signal, and there are no Warnings of the source.
	//
	// An error means that the rest was not read; what each got before it stands.
	// Nothing is passed to each that is known in part: with an error in any query, or
	// where the source says that an answer is not all there is, there is no Reading but
	// an error. A Read may go on with a warning, for whoever looks at it now; what is
	// learned of the past is kept. An error of each ends the history, and is returned.
	ReadHistory(ctx context.Context, history History, each func(*Reading) error) error
}

// History is a series of past instants at which one signal is read.
type History struct {
	// Signal by its name: a Histogram that is not PerInstance.
	Signal string
	// Bounds in seconds of the buckets to read, beside +Inf; ascending, at least one.
	// A bucket that not all instances have is left out.
	Bounds []float64
	// First and Last instant, both inclusive, in whole milliseconds.
	First, Last time.Time
	// Step from one instant to the next, at least a second.
	Step time.Duration
	// Window that ends at each instant.
	Window time.Duration
}
