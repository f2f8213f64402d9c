// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"slices"
	"strings"
)

// A store that was given nothing but recorded series has no histogram to take the
// increase of. Where a recording rule kept the rates of its buckets, with all of their
// labels, these times the window are what Prometheus took for the increase when it
// evaluated the rule last. What was born lacks its first value (see born), and nothing
// in the store tells how much that was: the figures show a violation, and prove nothing
// good. There are no sums.

// recorded increases of the buckets, by the labels of the signal and those in labels.
func (e expressions) recorded(labels ...string) string {
	return fmt.Sprintf("sum by (%s) (%s)", e.by(labels...), strings.Join(e.recordedIncrease(e.buckets), " or "))
}

// recordedIncrease of the buckets that pass the matchers in more.
func (e expressions) recordedIncrease(more []string) []string {
	rates := e.chosen.now(e.part.metric, e.part.matchers, signalMatchers(e.signal), more)
	for i, rate := range slices.Clone(rates) {
		rates[i] = fmt.Sprintf("%g * %s", e.signal.Recorded.Window.Seconds(), rate)
	}
	return rates
}
