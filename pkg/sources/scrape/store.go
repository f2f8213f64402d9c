// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// store keeps what targets exposed, per process. A process is a target and the
// start time it tells: a restart at the same address is another process, and so
// is each of several behind a load balancer. Values of a series are kept only
// where they change.
type store struct {
	mu      sync.RWMutex
	history time.Duration
	limit   int // series of one process
	targets map[targetID][]*process
}

// targetID identifies a target over time.
type targetID struct {
	component sources.Component
	name      string
}

func newStore(history time.Duration, limit int) *store {
	return &store{history: history, limit: limit, targets: map[targetID][]*process{}}
}

// add a scrape of a target at a time after that of all its scrapes before.
func (s *store) add(id targetID, at time.Time, e *exposition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.targets[id] {
		if !at.After(p.newest()) {
			return fmt.Errorf("a sample of %s is not newer than the last one of %s", at, p.newest())
		}
	}
	p, err := s.process(id, at, e)
	if err != nil {
		return err
	}
	p.times = append(p.times, at)
	p.add(e, s.limit)
	p.prune(at.Add(-s.history))
	return nil
}

// process that gives this answer: the one of its start time.
func (s *store) process(id targetID, at time.Time, e *exposition) (*process, error) {
	for _, p := range slices.Backward(s.targets[id]) {
		if !sameStart(p.started, e.started) {
			continue
		}
		if e.started.IsZero() && p.isOlder(e) {
			break
		}
		return p, nil
	}
	if len(s.targets[id]) >= maxProcesses {
		return nil, fmt.Errorf("more than %d start times at one address within %s: is %s reliable there?", maxProcesses, s.history, startTime)
	}
	p := &process{started: e.started, first: at, families: map[string]met{}}
	s.targets[id] = append(s.targets[id], p)
	return p, nil
}

// sameStart allows for one second: the start time is computed from the boot time
// of the kernel, which is whole seconds and follows corrections of the clock
// (prometheus/procfs, ProcStat.StartTime).
func sameStart(a, b time.Time) bool {
	if a.IsZero() || b.IsZero() {
		return a.IsZero() && b.IsZero()
	}
	return a.Sub(b).Abs() <= time.Second
}

// prune drops what is older than the history, whether or not its target is still
// scraped, and returns the number of series held by component.
func (s *store) prune(now time.Time) map[sources.Component]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := map[sources.Component]int{}
	for id, processes := range s.targets {
		processes = slices.DeleteFunc(processes, func(p *process) bool {
			return p.newest().Before(now.Add(-s.history))
		})
		if len(processes) == 0 {
			delete(s.targets, id)
			continue
		}
		s.targets[id] = processes
		for _, p := range processes {
			held[id.component] += len(p.series)
		}
	}
	return held
}
