// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
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
	b.ReportMetric(float64(usage(b).Maxrss)/1024, "peak-MiB") // of all this process, before inUse collects
	rounds := float64(b.N)
	heap, stacks, goroutines := inUse()
	per := func(n int) float64 { return float64(n) / float64(size) }
	b.ReportMetric(float64(first.Microseconds())/float64(size), "first-cpu-us/kubelet")
	b.ReportMetric(float64(cpu.Microseconds())/rounds/float64(size), "cpu-us/kubelet")
	b.ReportMetric(per(heap-heapBefore), "heap-B/kubelet")
	b.ReportMetric(per(stacks-stacksBefore), "stack-B/kubelet")
	b.ReportMetric(per(goroutines-goroutinesBefore), "goroutines/kubelet")
	begun := time.Now()
	reading, err := source.Read(quiet(), now, 5*time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "ms/read")
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
	u := usage(b)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func usage(b *testing.B) (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u
}

// BenchmarkTick is what each of the 15 slots of an interval costs for 5,000 nodes,
// beside the scrapes.
func BenchmarkTick(b *testing.B) {
	indexer := lister(b)
	for i := range uint64(5000) {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("node-", i), UID: uid(1, i)}}
		node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.0.%d.%d", i/256, i%256)}}
		if err := indexer.Add(node); err != nil {
			b.Fatal(err)
		}
	}
	for name, sample := range map[string]int{"all": 0, "sample": 500} {
		b.Run(name, func(b *testing.B) {
			kubelets := Kubelets{Nodes: corelisters.NewNodeLister(indexer), Synced: synced, Sample: sample}
			source := mustNew(b, Config{Signals: []sources.Signal{podStarts}, Finders: []Finder{kubelets}, REST: &rest.Config{}})
			slot := 0
			b.ReportAllocs()
			for b.Loop() {
				source.discover(slot)
				for _, target := range source.due(slot) {
					source.done(quiet(), target, 0, nil)
				}
				source.metrics.hold(source.store.prune(noon))
				slot = (slot + 1) % slots
			}
		})
	}
}
