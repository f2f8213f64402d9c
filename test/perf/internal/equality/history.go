// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package equality checks that the product counts what Prometheus counts, and what
// really happened, over made-up histories with restarts, births and missed scrapes.
package equality

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.io/slo-apiserver/test/perf/internal/gen"
	"example.io/slo-apiserver/test/perf/internal/peer"
	"example.io/slo-apiserver/test/perf/internal/subject"
)

// Interval between two scrapes.
const Interval = 15 * time.Second

// Scenario is a history of a cluster.
type Scenario struct {
	Name string
	// Combinations, Births, Seed as in gen.Config, of each of the Instances.
	Combinations, Births, Instances int
	Seed                            uint64
	// Scrapes of each instance.
	Scrapes int
	// Restarts tells by the number of a scrape which instance is a new process by
	// then, Missed which one does not answer.
	Restarts, Missed map[int]int
}

// Scenarios of all kinds.
func Scenarios(combinations int, seed uint64) []Scenario {
	all := []Scenario{
		{Name: "steady"},
		{Name: "births", Births: combinations / 4},
		{Name: "restarts", Restarts: map[int]int{18: 0, 27: 1, 33: 0}},
		{Name: "missed scrapes", Missed: map[int]int{20: 0, 21: 0, 30: 2, 36: 1}},
		{
			Name: "all of it", Births: combinations / 4,
			Restarts: map[int]int{17: 2, 26: 1}, Missed: map[int]int{20: 0, 26: 2, 35: 1},
		},
	}
	for i := range all {
		all[i].Combinations, all[i].Instances, all[i].Scrapes, all[i].Seed = combinations, 3, 41, seed+uint64(i)
	}
	return all
}

// begin of all histories.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// history as both sides know it, and as it was.
type history struct {
	Scenario
	subject *subject.Subject
	storage *peer.Storage
	// truths of each instance at its scrapes.
	truths []map[time.Time]map[gen.Key]gen.Truth
}

func (s Scenario) at(scrape int) time.Time { return begin.Add(time.Duration(scrape) * Interval) }

func instanceName(i int) string { return fmt.Sprintf("10.0.0.%d:6443", i+1) }

// play the scenario to both sides. Close the storage.
func play(ctx context.Context, s Scenario) (h *history, err error) {
	h = &history{Scenario: s}
	var names []string
	var processes []*gen.Process
	for i := range s.Instances {
		p, err := gen.New(gen.Config{Combinations: s.Combinations, Births: s.Births, Seed: s.Seed<<8 + uint64(i), Now: begin.Add(-Interval)})
		if err != nil {
			return nil, err
		}
		names, processes = append(names, instanceName(i)), append(processes, p)
		h.truths = append(h.truths, map[time.Time]map[gen.Key]gen.Truth{})
	}
	if h.subject, err = subject.New(time.Duration(s.Scrapes)*Interval, names...); err != nil {
		return nil, err
	}
	if h.storage, err = peer.NewStorage(begin); err != nil {
		return nil, err
	}
	var loops []*peer.Loop
	for _, name := range names {
		loops = append(loops, peer.NewLoop(h.storage, peer.Options{Instance: name, Job: "apiserver", Created: true, Keep: wanted}))
	}
	for n := range s.Scrapes {
		if err := h.scrape(ctx, n, processes, loops); err != nil {
			h.storage.Close()
			return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	return h, nil
}

func (h *history) scrape(ctx context.Context, n int, processes []*gen.Process, loops []*peer.Loop) error {
	at, bodies := h.at(n), map[string][]byte{}
	for i, p := range processes {
		if restarted, some := h.Restarts[n]; some && restarted == i {
			// What is counted between the last scrape and the end is lost to everybody:
			// nothing was.
			p.Restart(at.Add(-Interval / 3))
		}
		p.Advance(at)
		var body []byte
		if missed, some := h.Missed[n]; !some || missed != i {
			body = p.AppendProto(nil)
			bodies[instanceName(i)] = body
			h.truths[i][at] = p.Truths()
		}
		if _, err := loops[i].Scrape(ctx, body, gen.ProtoContentType, at); err != nil {
			return err
		}
	}
	h.subject.Scrape(ctx, bodies, gen.ProtoContentType, at)
	return nil
}

// wanted samples: those that are compared.
func wanted(metric string) bool {
	return slices.Contains([]string{sli + "_bucket", sli + "_count", dispatched}, metric)
}
