// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
)

var storeSignals = []sources.Signal{
	{Name: "h", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"h_new", "h_old"}, Labels: []string{"a"}},
	{Name: "c", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"c_new", "c_old"}, Labels: []string{"a"}},
	{Name: "g", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"g"}, Labels: []string{"a"}},
	{Name: "s", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"g"}, Labels: []string{"a"}, PerInstance: true, Samples: true},
}

var (
	storeBounds = []float64{1, 5, math.Inf(1)}
	storeTarget = Target{Component: sources.KubeAPIServer, Name: "a", URL: "https://a/metrics"}
)

// life of a target, told by bytes: each scrape, each value and each reading is a
// choice. It is at rest when they are used up.
type storeLife struct {
	t       *testing.T
	choices []byte
	source  *Source
	naive   naiveStore
	now     time.Time
	started time.Time
	ids     []*identity
	current map[*identity]naiveValue // absent ones are not in it
}

const lifeInterval = 15 * time.Second

func newStoreLife(t *testing.T, choices []byte) *storeLife {
	c := Config{Signals: storeSignals, Finders: []Finder{Static{storeTarget}}, REST: &rest.Config{}, Interval: lifeInterval, History: 3 * time.Minute}
	s := &storeLife{t: t, choices: choices, source: mustNew(t, c), now: noon}
	s.source.discover(0)
	s.source.started = true
	s.naive.history = c.History
	plan, ids := s.source.plans[sources.KubeAPIServer], s.source.identities[sources.KubeAPIServer]
	for _, name := range []string{"h_new", "h_old", "c_new", "c_old", "g"} {
		for _, labels := range []string{"x\xffb\xff1", "x\xffb\xff2", "y"} { // the first two are summed
			s.ids = append(s.ids, ids.of([]byte(name+"\xffa\xff"+labels), plan[name]))
		}
	}
	s.restart()
	return s
}

// choose one of n.
func (s *storeLife) choose(n int) int {
	if len(s.choices) == 0 {
		return 0
	}
	choice := int(s.choices[0]) % n
	s.choices = s.choices[1:]
	return choice
}

func (s *storeLife) run() {
	for len(s.choices) > 0 {
		switch s.choose(12) {
		case 0:
			s.restart()
		case 1, 2:
			s.now = s.now.Add(lifeInterval) // a scrape is missed
		case 3:
			s.naive.prune(s.now)
			s.source.store.prune(s.now)
		case 4, 5, 6:
			s.read(s.now.Add(-time.Duration(s.choose(40))*5*time.Second), time.Duration(1+s.choose(60))*5*time.Second)
		default:
			s.scrape()
		}
	}
	s.read(s.now, time.Minute)
}

// restart the process; it is born between two scrapes.
func (s *storeLife) restart() {
	s.now = s.now.Add(lifeInterval)
	s.started, s.current = s.now.Add(-5*time.Second), map[*identity]naiveValue{}
}

func (s *storeLife) scrape() {
	s.now = s.now.Add(lifeInterval)
	for _, id := range s.ids {
		s.change(id)
	}
	e := exposition{started: s.started, families: map[string]bool{}}
	row := map[*identity]naiveValue{}
	first := s.choose(len(s.ids)) // the order is another one now and then
	for i := range s.ids {
		id := s.ids[(i+first/4)%len(s.ids)]
		v, there := s.current[id]
		if !there {
			continue
		}
		row[id], e.families[id.family.name] = v, true
		sm := sample{place: &place{id: id}, state: v.state, number: v.number}
		if v.histogram != nil {
			sm.number, sm.bounds, sm.counts = v.histogram.Sum, v.histogram.Bounds, v.histogram.Counts
		}
		e.samples = append(e.samples, sm)
	}
	if len(s.naive.processes) == maxProcesses { // more in the history are refused
		s.naive.prune(s.now)
		s.source.store.prune(s.now)
	}
	if len(s.naive.processes) == 0 || !s.naive.newest().started.Equal(s.started) {
		s.naive.processes = append(s.naive.processes, &naiveProcess{started: s.started, since: map[string]int{}})
	}
	s.naive.newest().add(s.now, row)
	if err := s.source.store.add(storeTarget.id(), s.now, &e); err != nil {
		s.t.Fatal(err)
	}
}

// change a series in one of the ways in which series change.
func (s *storeLife) change(id *identity) {
	v, there := s.current[id]
	if v.state == unknown {
		v, there = naiveValue{}, false // and begins anew
	}
	choice := s.choose(32)
	switch {
	case choice == 0:
		delete(s.current, id)
		return
	case !there && choice > 4 || choice > 20:
		return // as it was
	case choice == 1:
		s.current[id] = naiveValue{state: unknown}
		return
	case choice == 2 || !there:
		v = naiveValue{state: known}
	}
	step := float64(choice)
	switch id.family.kind {
	case sources.Gauge:
		if v.number = step; choice == 3 {
			v.number = math.NaN()
		}
	case sources.Counter:
		v.number += step
	default:
		counts, sum := make([]float64, len(storeBounds)), 0.0
		if v.histogram != nil {
			copy(counts, v.histogram.Counts)
			sum = v.histogram.Sum
		}
		for i := choice % 3; i < len(counts); i++ {
			counts[i] += step
		}
		v.histogram = &sources.Buckets{Bounds: storeBounds, Counts: counts, Sum: sum + step/2}
	}
	s.current[id] = v
}

func (s *storeLife) read(at time.Time, window time.Duration) {
	reading, err := s.source.Read(quiet(), at, window)
	if err != nil {
		s.t.Fatal(err)
	}
	stale := lifeInterval * 5 / 2
	for _, signal := range storeSignals {
		want := s.naive.read(signal, s.ids, at, window, stale)
		got := shownSeries(reading.Results[signal.Name], signal.Kind)
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 1e-9), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			s.t.Fatalf("%s over %s up to %s before the end: naive model, then store:\n%s", signal.Name, window, s.now.Sub(at), diff)
		}
	}
}

// The store answers as the naive model does, in lives of many restarts, births, gaps
// and readings.
func TestStoreIsNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 120 {
		newStoreLife(t, randomBytes(r, 2000)).run()
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// FuzzStoreIsNaive looks for a life in which the store does not. Twice the history is
// long enough for one.
func FuzzStoreIsNaive(f *testing.F) {
	r := rand.New(rand.NewPCG(10, 10))
	for range 4 {
		f.Add(randomBytes(r, 400))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		newStoreLife(t, choices[:min(len(choices), 500)]).run()
	})
}
