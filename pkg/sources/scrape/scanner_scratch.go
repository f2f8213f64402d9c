// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import "sync"

// scratch is what a scan needs and leaves behind. It goes from target to target:
// for thousands of kubelets, few of which are read at once, that is a lot less.
type scratch struct {
	input   []byte
	samples []sample
	counts  []float64
	buckets []bucket
}

const (
	// largestInput buffer that is passed on to other scans, in bytes: a family of a
	// large cluster has some MB.
	largestInput = 8 << 20
	// idleScratches that are kept: mostly one or two scrapes are under way.
	idleScratches = 2
	// rarely two are under way when one was given back as often as that meanwhile.
	rarely = 30
)

// scratches that no scan uses. A sync.Pool would forget them between two scrapes,
// as the garbage collector runs meanwhile.
type scratches struct {
	mu   sync.Mutex
	idle []*scratch
	// unneeded: how often one was given back since all were in use.
	unneeded int
}

// isOversized says that a large answer took less than half of the memory: the first one
// of a target also has what is passed over in the next, and the counts of all that does
// not change. A small answer says nothing of those that come after it.
func (s *scratch) isOversized(used, size int) bool {
	const large = 1 << 9 // samples
	return len(s.samples) > large && used < size/2
}

func (s *scratches) take() *scratch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		last := s.idle[n-1]
		s.idle = s.idle[:n-1]
		if len(s.idle) == 0 {
			s.unneeded = 0
		}
		return last
	}
	return &scratch{}
}

// giveBack a scratch, and hold on to nothing it refers to.
func (s *scratches) giveBack(used *scratch) {
	if used.isOversized(len(used.counts), cap(used.counts)) {
		used.counts = nil
	}
	clear(used.samples)
	if used.isOversized(len(used.samples), cap(used.samples)) {
		used.samples = nil
	}
	if len(used.input) > largestInput {
		used.input = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unneeded++; s.unneeded > rarely {
		clear(s.idle)
		s.idle = s.idle[:0]
	}
	if len(s.idle) < idleScratches {
		s.idle = append(s.idle, used)
	}
}
