// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"fmt"
	"time"
)

// Process is what the whole product used beside a Prometheus.
type Process struct {
	Instances, Kubelets int
	Duration            time.Duration
	Ours, Prometheus    ProcessUsage
}

// ProcessUsage while it was measured.
type ProcessUsage struct {
	CPU time.Duration
	// Anonymous memory, the highest that was seen, in bytes.
	Anonymous uint64
}

// Reaches of the whole process.
const (
	reachCPU       = 1.0 / 20
	reachAnonymous = 30e6
	reachMemory    = 1.0 / 3
)

// ProcessRows of the whole process.
func ProcessRows(p Process) []Row {
	perMinute := func(u ProcessUsage) string {
		return fmt.Sprintf("%s a minute", millis(time.Duration(float64(u.CPU)/p.Duration.Minutes())))
	}
	memory := float64(p.Ours.Anonymous) / float64(p.Prometheus.Anonymous)
	return []Row{
		atMostRow(fmt.Sprintf("whole process, %d apiservers + %d kubelets: CPU", p.Instances, p.Kubelets),
			perMinute(p.Ours), perMinute(p.Prometheus), float64(p.Ours.CPU)/float64(p.Prometheus.CPU), reachCPU, "<= 1/20"),
		{
			"  RssAnon, highest", megabytes(p.Ours.Anonymous), megabytes(p.Prometheus.Anonymous), fraction(memory), "<= 30 MB, <= 1/3",
			yes(p.Ours.Anonymous <= reachAnonymous && memory <= reachMemory),
		},
	}
}
