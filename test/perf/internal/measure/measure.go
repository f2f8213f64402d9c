// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package measure takes the figures: processor time, allocations and memory.
package measure

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"
)

// Cost of something.
type Cost struct {
	// CPU is the processor time of the whole process, that of the system included.
	CPU time.Duration
	// Allocations and their bytes.
	Allocations, Bytes uint64
}

// Per divides a cost.
func (c Cost) Per(n int) Cost {
	return Cost{c.CPU / time.Duration(n), c.Allocations / uint64(n), c.Bytes / uint64(n)}
}

// Of runs f and returns what it took. The garbage collector runs before, and not
// while f does: in a process that holds the peer and the subject, each would pay
// for the memory of the other. Whoever allocates more gains by it.
func Of(f func() error) (Cost, error) {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, err := cpu()
	if err != nil {
		return Cost{}, err
	}
	if err := f(); err != nil {
		return Cost{}, err
	}
	end, err := cpu()
	if err != nil {
		return Cost{}, err
	}
	runtime.ReadMemStats(&after)
	return Cost{end - begin, after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc}, nil
}

func cpu() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// Live is the heap in use after garbage was collected.
func Live() uint64 {
	// Twice: what a finalizer or a pool held goes with the second.
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// Median of some values; they are sorted.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
