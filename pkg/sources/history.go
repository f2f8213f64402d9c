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
	// oldest first: that which Read would have returned then, of the signal, its
	// buckets or labels alone, and of the signals beside it. The others have no Result,
	// the instances are those of the components of these signals, and of the Warnings of
	// the source there are those about instances.
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
	// Signal by its name: a Histogram or a Counter that is not PerInstance.
	Signal string
	// Bounds in seconds of the buckets of a Histogram to read, beside +Inf; ascending, at
	// least one. A bucket that not all instances have is left out.
	Bounds []float64
	// Labels of a Counter to keep, at least one, of those that it has. Series that differ
	// in others are summed and have "" for these, after births were told by all labels.
	Labels []string
	// Beside are other signals that the Readings are to have, Counters and Gauges: what
	// tells whose figures these are.
	Beside []string
	// First and Last instant, both inclusive, in whole milliseconds.
	First, Last time.Time
	// Step from one instant to the next, at least a second.
	Step time.Duration
	// Window that ends at each instant.
	Window time.Duration
}
