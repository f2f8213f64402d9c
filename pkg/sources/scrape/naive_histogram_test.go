// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import "example.io/slo-apiserver/pkg/sources"

// The naive model of the history of a histogram: all its values.

// histogramIncrease is the same for a histogram, which is reset as a whole when
// one of its buckets falls: taken alone, a bucket that has passed its old count
// again would seem to have counted the difference. It is nil when no value is
// known.
func histogramIncrease(values []naiveValue) *sources.Buckets {
	var total *sources.Buckets
	walkNaive(values, func(before, after naiveValue) {
		step := bucketsStep(before.histogram, after.histogram)
		if total == nil {
			total = step
		} else {
			total = total.Add(step)
		}
	})
	if total != nil {
		return total
	}
	for _, v := range values {
		if v.state == known { // a single known value: nothing was counted since
			return &sources.Buckets{Bounds: v.histogram.Bounds, Counts: make([]float64, len(v.histogram.Counts))}
		}
	}
	return nil
}

// bucketsStep is after less before, or after where before is nil or was reset.
func bucketsStep(before, after *sources.Buckets) *sources.Buckets {
	step := &sources.Buckets{Bounds: after.Bounds, Counts: make([]float64, len(after.Counts)), Sum: after.Sum}
	copy(step.Counts, after.Counts)
	if before == nil || isNaiveReset(before, after) {
		return step
	}
	for i := range step.Counts {
		step.Counts[i] -= before.Counts[i]
	}
	step.Sum -= before.Sum
	return step
}

// isNaiveReset says that after does not go on from before: a bucket fell, or the
// bounds changed, as they do when a histogram is registered anew.
func isNaiveReset(before, after *sources.Buckets) bool {
	if len(before.Bounds) != len(after.Bounds) {
		return true
	}
	for i := range after.Counts {
		if before.Bounds[i] != after.Bounds[i] || after.Counts[i] < before.Counts[i] {
			return true
		}
	}
	return false
}

// naiveValue of a series in one scrape.
type naiveValue struct {
	state     state
	number    float64
	histogram *sources.Buckets
}

// plain values of a counter.
func plain(values []naiveValue) (numbers []value) {
	for _, v := range values {
		numbers = append(numbers, value{v.state, v.number})
	}
	return numbers
}

// walkNaive calls step for each known value with the one before it, as walk does.
func walkNaive(values []naiveValue, step func(before, after naiveValue)) {
	before := naiveValue{state: unknown}
	for _, v := range values {
		if v.state == known && before.state != unknown {
			step(before, v)
		}
		if v.state != unknown {
			before = v
		}
	}
}
