// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"sort"
	"time"
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
