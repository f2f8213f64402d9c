// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFleet scrapes 2,000 kubelets, each at an address of its own; the
// environment variable FLEET asks for another number. An operation is one round
// of all of them.
func BenchmarkFleet(b *testing.B) {
	size, err := strconv.Atoi(os.Getenv("FLEET"))
	if err != nil {
		size = 2000
	}
	fleet := newFleet(b, size)
	heapBefore, stacksBefore, goroutinesBefore := inUse()
	source := mustNew(b, fleet.config())
	now := noon
	round := func() {
		now = now.Add(15 * time.Second)
		source.Collect(quiet(), now)
	}
	first := cpuTime(b)
	round()
	first = cpuTime(b) - first
	for range 42 { // a full history
		round()
	}
	cpu := cpuTime(b)
	for b.Loop() {
		round()
	}
	cpu = cpuTime(b) - cpu
	rounds := float64(b.N)
	heap, stacks, goroutines := inUse()
	per := func(n int) float64 { return float64(n) / float64(size) }
	b.ReportMetric(float64(first.Microseconds())/float64(size), "first-cpu-us/kubelet")
	b.ReportMetric(float64(cpu.Microseconds())/rounds/float64(size), "cpu-us/kubelet")
	b.ReportMetric(per(heap-heapBefore), "heap-B/kubelet")
	b.ReportMetric(per(stacks-stacksBefore), "stack-B/kubelet")
	b.ReportMetric(per(goroutines-goroutinesBefore), "goroutines/kubelet")
	reading, err := source.Read(quiet(), now, 5*time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	for _, i := range reading.Instances {
		if !i.Observed {
			b.Fatalf("%s: %s", i.Name, i.Problem)
		}
	}
}

// inUse of heap and stacks in bytes, and the number of goroutines.
func inUse() (heap, stacks, goroutines int) {
	for range 3 { // pools are emptied over two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc), int(m.StackInuse), runtime.NumGoroutine()
}

// cpuTime of this process.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
