// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"sort"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// This file is the arithmetic of the rule sources.Exact: what was counted between
// two samples. It knows no store and no clock.

// birth stands for the moment a process starts, when all its counts are zero.
const birth = -1

// between picks the samples of one process that (at-window, at] is read between:
// to is the newest one not after at; from is the newest one not after at-window.
// Where there is none, from is birth for a process that started within the
// window, and otherwise the oldest sample: what was counted before it is not
// known to lie in the window. times ascend; started is zero when unknown. It is
// not ok without a sample up to at.
func between(times []time.Time, started, at time.Time, window time.Duration) (from, to int, ok bool) {
	start := at.Add(-window)
	to = lastNotAfter(times, at)
	from = lastNotAfter(times, start)
	switch {
	case to < 0:
		return 0, 0, false
	case from >= 0:
		return from, to, true
	case !started.IsZero() && !started.Before(start):
		return birth, to, true
	}
	return 0, to, true
}

// lastNotAfter is the index of the last time that is not after t; -1 for none.
func lastNotAfter(times []time.Time, t time.Time) int {
	return sort.Search(len(times), func(i int) bool { return times[i].After(t) }) - 1
}

// counterIncrease is what a counter counted from the first value to the last one.
// An absent value is zero: the counter did not exist. A value that falls was
// reset to zero on the way, as in PromQL (prometheus promql/functions.go,
// extrapolatedRate). An unknown value is passed over; what comes after unknown
// values alone is counted from there, not from zero.
func counterIncrease(values []value) float64 {
	var total float64
	walk(values, func(before, after value) {
		if after.number < before.number {
			total += after.number
		} else {
			total += after.number - before.number
		}
	})
	return total
}

// histogramIncrease is the same for a histogram, which is reset as a whole when
// one of its buckets falls: taken alone, a bucket that has passed its old count
// again would seem to have counted the difference. It is nil when no value is
// known.
func histogramIncrease(values []value) *sources.Buckets {
	var total *sources.Buckets
	walk(values, func(before, after value) {
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

// walk calls step for each known value with the one before it: the last known
// one, or the zero value after an absent one.
func walk(values []value, step func(before, after value)) {
	before := value{state: unknown}
	for _, v := range values {
		if v.state == known && before.state != unknown {
			step(before, v)
		}
		if v.state != unknown {
			before = v
		}
	}
}

// bucketsStep is after less before, or after where before is nil or was reset.
func bucketsStep(before, after *sources.Buckets) *sources.Buckets {
	step := &sources.Buckets{Bounds: after.Bounds, Counts: make([]float64, len(after.Counts)), Sum: after.Sum}
	copy(step.Counts, after.Counts)
	if before == nil || isReset(before, after) {
		return step
	}
	for i := range step.Counts {
		step.Counts[i] -= before.Counts[i]
	}
	step.Sum -= before.Sum
	return step
}

// isReset says that after does not go on from before: a bucket fell, or the
// bounds changed, as they do when a histogram is registered anew.
func isReset(before, after *sources.Buckets) bool {
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
