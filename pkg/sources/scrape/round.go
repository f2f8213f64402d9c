// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/sources"
)

// allSlots makes every target due.
const allSlots = -1

// notScraped is the problem of a target whose first scrape is not done.
const notScraped = "not scraped yet"

// discover targets of the components that signals are read from. All finders are asked
// in the first slot of an interval, since to make the targets of 5,000 nodes takes some
// milliseconds, and in the others those that failed the last time. One that fails keeps
// the targets it found last: an error does not make a running process go away.
func (s *Source) discover(slot int) {
	s.mu.Lock()
	found, asked := slices.Clone(s.found), false
	s.mu.Unlock()
	for i, finder := range s.config.Finders {
		if slot > 0 && found[i].problem == nil {
			continue
		}
		asked = true
		targets, err := finder.Targets()
		if found[i].problem = err; err == nil {
			found[i].targets = targets
		}
	}
	if !asked {
		return
	}
	targets := map[targetID]Target{}
	for _, d := range found {
		for _, t := range d.targets {
			if _, twice := targets[t.id()]; !twice && s.plans[t.Component] != nil {
				targets[t.id()] = t
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found, s.targets = found, targets
	maps.DeleteFunc(s.status, func(id targetID, st *status) bool {
		_, expected := targets[id]
		return !expected && !st.underWay
	})
	if len(targets) == 0 {
		s.started = true
	}
}

// due returns the targets to scrape in a slot, ordered by identity, and marks
// them as under way. One whose last scrape is not done yet has to wait for its
// next slot.
func (s *Source) due(slot int) []Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []Target
	for id, t := range s.targets {
		st := s.status[id]
		if st == nil {
			st = &status{slot: id.slot(), problem: notScraped}
			s.status[id] = st
		}
		if st.underWay || (st.attempted && slot != allSlots && st.slot != slot) {
			continue
		}
		st.underWay, st.attempted = true, true
		due = append(due, t)
	}
	slices.SortFunc(due, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Name, b.Name))
	})
	return due
}

// slot of a target: always the same, and evenly spread over targets.
func (id targetID) slot() int {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%s", id.component, id.name)
	return int(h.Sum32() % slots)
}

// begin the scrapes of targets that are due, as places get free. They are done by
// the time scrapes is.
func (s *Source) begin(ctx context.Context, scrapes *sync.WaitGroup, due []Target, now func() time.Time) {
	for _, target := range due {
		s.queueOf(target).add(scrapes, func() { s.scrape(ctx, target, now) })
	}
}

func (s *Source) queueOf(t Target) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status[t.id()].slow {
		return s.queues[t.Component].slow
	}
	return s.queues[t.Component].prompt
}

// scrape one target and store what it said. now tells the time at which the
// scrape begins.
func (s *Source) scrape(ctx context.Context, t Target, now func() time.Time) {
	if ctx.Err() != nil {
		s.done(ctx, t, 0, ctx.Err())
		return
	}
	begun, at := time.Now(), now()
	scanner := s.scannerOf(t)
	defer scanner.release()
	answer, err := s.fetch(ctx, t, scanner)
	if err == nil {
		err = s.store.add(t.id(), at, answer.exposition)
	}
	took := time.Since(begun)
	s.metrics.scraped(t.Component, took, answer.bytes, err)
	s.done(ctx, t, took, err)
}

// scannerOf a target that is under way: no other scrape uses it.
func (s *Source) scannerOf(t Target) *scanner {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status[t.id()]
	if st.scanner == nil {
		st.scanner = newScanner(s.plans[t.Component], s.config.Limits, s.identities[t.Component], &s.scratch)
	}
	return st.scanner
}

// done notes the outcome of a scrape. The first failure after a success is
// logged, and the first success after a failure: a node that is down for a day
// is two lines.
func (s *Source) done(ctx context.Context, t Target, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status[t.id()]
	st.underWay, s.started = false, true
	if ctx.Err() != nil {
		return // stopping is not the fault of the target
	}
	logger := klog.FromContext(ctx)
	switch {
	case err != nil && (st.problem == "" || st.problem == notScraped):
		logger.Error(err, "Scrape failed", "component", t.Component, "target", t.Name)
	case err == nil && st.problem != "" && st.problem != notScraped:
		logger.Info("Scrape succeeds again", "component", t.Component, "target", t.Name)
	}
	st.problem, st.slow = "", err != nil && took > patience
	if err != nil {
		st.problem = err.Error()
	}
}

// expected targets with what is wrong with them, the components of which they are a
// sample, and what is wrong with finding them.
func (s *Source) expected() (expected map[targetID]expectation, sampled map[sources.Component]int, warnings []sources.Warning) {
	s.mu.Lock()
	defer s.mu.Unlock()
	expected = map[targetID]expectation{}
	missing := maps.Clone(s.plans)
	for id, t := range s.targets {
		delete(missing, id.component)
		e := expectation{problem: notScraped, url: t.URL}
		if st := s.status[id]; st != nil {
			e.problem = st.problem
		}
		expected[id] = e
		if t.SampledFrom > 0 {
			if sampled == nil {
				sampled = map[sources.Component]int{}
			}
			sampled[id.component] = t.SampledFrom
		}
	}
	for _, d := range s.found {
		if d.problem != nil {
			warnings = append(warnings, sources.Warning{Reason: sources.TargetsUnknown, Message: d.problem.Error()})
		}
	}
	for _, component := range slices.Sorted(maps.Keys(missing)) {
		warnings = append(warnings, sources.Warning{
			Reason: sources.TargetsUnknown, Component: component, Message: fmt.Sprintf("no %s to scrape was found", component),
		})
	}
	return expected, sampled, warnings
}
