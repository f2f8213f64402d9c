// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package scrape is the embedded source: it scrapes kube-apiservers and kubelets
// itself and keeps some minutes of history in memory.
//
//	Finder --targets--> client --answer--> decoder --samples--> store --values--> increase --> Reading
//
// A decoder makes samples of one answer, for one of the two exposition formats. It
// works for a scanner, which remembers the last answer of the target: a series that
// stands where it stood is neither parsed nor looked up, and a histogram that has not
// changed is not read. The store keeps samples
// per process, of histograms the newest counts and a log of what was added.
// increase.go and histogram.go are the arithmetic. An answer is taken whole or not
// at all.
//
// A sample is dated by the start of its scrape, as Prometheus does: the values
// are at most one scrape duration younger.
package scrape

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/component-base/metrics"

	"example.io/slo-apiserver/pkg/sources"
)

// Source scrapes targets and reads signals from what they said.
type Source struct {
	config  Config
	plans   map[sources.Component]plan
	clients *clients
	store   *store
	metrics sourceMetrics
	// queues bound the scrapes under way, by component: many slow kubelets do not
	// hold up a kube-apiserver.
	queues     map[sources.Component]queues
	identities map[sources.Component]*identities
	scratch    scratches

	mu      sync.Mutex
	found   []discovery         // by index of the Finder
	targets map[targetID]Target // of all finders; replaced, never changed
	status  map[targetID]*status
	started bool // a scrape was attempted, or there was nothing to scrape
}

var _ sources.Source = &Source{}

// discovery is what a Finder last found.
type discovery struct {
	targets []Target // of the last time it found any
	problem error    // of the last time it was asked
}

// status of a target.
type status struct {
	slot      int    // in which it is scraped
	attempted bool   // at least one scrape was begun
	underWay  bool   // one is not done
	problem   string // of the last one that is done; "" when it succeeded
	slow      bool   // the last one that is done failed, and took longer than patience
	scanner   *scanner
}

// New returns a Source that has not scraped yet; see Run.
func New(config Config) (*Source, error) {
	config, err := config.complete()
	if err != nil {
		return nil, fmt.Errorf("embedded source: %w", err)
	}
	plans, err := newPlans(config.Signals)
	if err != nil {
		return nil, fmt.Errorf("embedded source: %w", err)
	}
	s := &Source{
		config:     config,
		plans:      plans,
		clients:    newClients(config),
		store:      newStore(config.History, config.Limits.SeriesPerTarget),
		metrics:    newMetrics(),
		queues:     map[sources.Component]queues{},
		identities: map[sources.Component]*identities{},
		found:      make([]discovery, len(config.Finders)),
		status:     map[targetID]*status{},
	}
	for component := range plans {
		s.queues[component] = newQueues(config.Concurrency)
		s.identities[component] = newIdentities()
		if _, err := s.clients.of(Target{Component: component}); err != nil {
			return nil, fmt.Errorf("embedded source: %w", err)
		}
	}
	return s, nil
}

// slots that an interval is divided into: with 15 s, one a second. Each target
// has its own, so that the load spreads over the interval.
const slots = 15

// Run scrapes until ctx is done, and returns when all its goroutines have ended:
// each target at once when it is found, and then once per interval in its slot. A new
// one is found within an interval.
func (s *Source) Run(ctx context.Context) error {
	var scrapes sync.WaitGroup
	defer scrapes.Wait()
	ticker := s.config.Clock.NewTicker(s.config.Interval / slots)
	defer ticker.Stop()
	for slot := 0; ; slot = (slot + 1) % slots {
		s.discover(slot)
		s.begin(ctx, &scrapes, s.due(slot), s.config.Clock.Now)
		s.metrics.hold(s.store.prune(s.config.Clock.Now()))
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

// Collect scrapes every target once, dates the samples at, and returns when all
// are done. It serves those who keep their own time instead of Run.
func (s *Source) Collect(ctx context.Context, at time.Time) {
	var scrapes sync.WaitGroup
	s.discover(0)
	s.begin(ctx, &scrapes, s.due(allSlots), func() time.Time { return at })
	scrapes.Wait()
	s.metrics.hold(s.store.prune(at))
}

// Ready returns nil once a scrape was attempted, whatever came of it: that an
// answer is missing is said in the answers.
func (s *Source) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		return errNotYet
	}
	return nil
}

// Metrics of the source itself, to be registered by the caller.
func (s *Source) Metrics() []metrics.Registerable {
	return s.metrics.all()
}
