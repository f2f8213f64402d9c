// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// combination of a resource, a verb and a scope, with its traffic.
type combination struct {
	Key
	version  string
	resource int // its number
	flow     int
	late     bool
	rate     float64 // requests per second
	median   float64 // latency in seconds
	sigma    float64 // of its logarithm

	sli, total, sizes, body, code *Series // nil before the first request
	truth                         Truth
}

// Key is what the objectives know a request by.
type Key struct{ Group, Resource, Subresource, Verb, Scope string }

// Truth is what really happened, restarts or not.
type Truth struct {
	// Counts of requests by bucket of the SLI, not cumulative; the last is +Inf.
	Counts []uint64
}

// Count of requests.
func (t Truth) Count() (n uint64) {
	for _, c := range t.Counts {
		n += c
	}
	return n
}

func newCombination(plan *rand.Rand, number int, r resource, c call) *combination {
	// Busy ones get one request in four seconds to four in a second, the others one
	// in half an hour to one in a few hours.
	rate := 0.25 * math.Exp(2.8*plan.Float64())
	if plan.Float64() >= busyShare {
		rate = 1.0 / (1800 * math.Exp(2.5*plan.Float64()))
	}
	return &combination{
		Key:      Key{r.group, r.name, c.subresource, c.verb, c.scope},
		version:  r.version,
		resource: number,
		flow:     plan.IntN(13),
		rate:     rate,
		median:   0.01 * math.Exp(2.5*plan.Float64()), // 10 to 120 ms
		sigma:    0.7 + 0.8*plan.Float64(),            // the worst have a p99 of some seconds
		truth:    Truth{Counts: make([]uint64, len(boundsSLI)+1)},
	}
}

func (c *combination) forget() {
	c.sli, c.total, c.sizes, c.body, c.code = nil, nil, nil, nil, nil
}

func (c *combination) readOnly() bool { return c.Verb == "GET" || c.Verb == "LIST" }

// expose the series of a combination: they come with its first request.
func (p *Process) expose(c *combination) {
	if c.sli != nil {
		return
	}
	r, at := &p.requests, p.now
	c.sli = r.sli.add(at, "apiserver", c.Group, c.Resource, c.Scope, c.Subresource, c.Verb, c.version)
	c.total = r.total.add(at, "apiserver", "", c.Group, c.Resource, c.Scope, c.Subresource, c.Verb, c.version)
	c.code = r.requests.add(at, "200", "apiserver", "", c.Group, c.Resource, c.Scope, c.Subresource, c.Verb, c.version)
	switch {
	case c.readOnly():
		c.sizes = r.sizes.add(at, "apiserver", c.Group, c.Resource, c.Scope, c.Subresource, c.Verb, c.version)
	case c.Subresource == "" && (c.Verb == "POST" || c.Verb == "PUT"):
		c.body = r.body.add(at, c.Group, c.Resource, map[string]string{"POST": "create", "PUT": "update"}[c.Verb])
	}
}

// serve n requests, one by one.
func (p *Process) serve(c *combination, n uint64) {
	p.expose(c)
	for range n {
		p.record(c, c.median*math.Exp(c.sigma*p.random.NormFloat64()), 1)
	}
}

// serveMany requests at once, as the distribution says, for what was long ago.
func (p *Process) serveMany(c *combination, n uint64) {
	p.expose(c)
	left, before := n, 0.0
	for _, bound := range boundsSLI {
		share := atMost(bound, c.median, c.sigma)
		part := min(left, uint64(math.Round(float64(n)*(share-before))))
		if part > 0 {
			p.record(c, math.Min(bound, bound*0.7), part)
		}
		left, before = left-part, share
	}
	if left > 0 {
		p.record(c, 0.6*boundsSLI[0], left)
	}
}

// record n requests that took so many seconds.
func (p *Process) record(c *combination, seconds float64, n uint64) {
	r := &p.requests
	r.sli.observe(c.sli, seconds, n)
	at, _ := slices.BinarySearch(boundsSLI, seconds)
	c.truth.Counts[at] += n
	wait := 0.0
	flow := p.flows[c.flow%len(p.flows)]
	if p.random.IntN(50) == 0 {
		wait = 0.02 * p.random.ExpFloat64()
	}
	r.total.observe(c.total, seconds+wait, n)
	c.code.Value += float64(n)
	if c.sizes != nil {
		r.sizes.observe(c.sizes, 2000*math.Exp(2*p.random.NormFloat64()), n)
	}
	if c.body != nil {
		r.body.observe(c.body, 3000*math.Exp(p.random.NormFloat64()), n)
	}
	p.flow.wait.observe(flow.wait, wait, n)
	p.flow.execution.observe(flow.execution, seconds, n)
	p.flow.estimated.observe(flow.estimated, 1, n)
	flow.dispatched.Value += float64(n)
	p.resources[c.resource].record(p, c, n)
}

// resourceSeries are the series of one resource.
type resourceSeries struct {
	etcd, etcdRequests           []*Series
	watchList, cacheWait, events *Series
	numbers                      []*Series
}

// operations of etcd that one resource gets; every other one is never written.
var operations = []string{"get", "list", "update"}

func (p *Process) newResource(i int) *resourceSeries {
	r, s := resourceAt(i), &resourceSeries{}
	for _, operation := range operations[:2+i%2] {
		s.etcd = append(s.etcd, p.requests.etcd.add(p.started, r.group, operation, r.name))
		s.etcdRequests = append(s.etcdRequests, p.requests.etcdRequests.add(p.started, r.group, operation, r.name))
	}
	s.watchList = p.requests.watchList.add(p.started, r.group, r.name, "cluster", r.version)
	s.cacheWait = p.requests.cacheWait.add(p.started, r.group, r.name)
	s.events = p.requests.events.add(p.started, r.group, r.name, r.version)
	for _, f := range p.requests.perResource {
		s.numbers = append(s.numbers, f.add(p.started, r.group, r.name))
	}
	for n, s := range s.numbers {
		s.Value = float64(n * i)
	}
	p.requests.inFlight.add(p.started, "apiserver", r.group, r.name, "cluster", "", "WATCH", r.version).Value = float64(1 + i%7)
	return s
}

// record what n requests do to their resource: reads are served by the watch
// cache, writes go to etcd and out to watchers.
func (s *resourceSeries) record(p *Process, c *combination, n uint64) {
	if c.readOnly() {
		p.requests.cacheWait.observe(s.cacheWait, 0.001, n)
		s.numbers[5].Value += float64(n)
		return
	}
	last := len(s.etcd) - 1
	p.requests.etcd.observe(s.etcd[last], 0.004*math.Exp(p.random.NormFloat64()), n)
	s.etcdRequests[last].Value += float64(n)
	p.requests.events.observe(s.events, 2000*math.Exp(p.random.NormFloat64()), n)
	s.numbers[6].Value += float64(n)
	s.numbers[8].Value += float64(n)
	s.numbers[9].Value += float64(n)
}

// Truths of all combinations by what the objectives know them by; those that were
// never requested are not there.
func (p *Process) Truths() map[Key]Truth {
	truths := map[Key]Truth{}
	for _, c := range p.combinations {
		if c.truth.Count() > 0 {
			truths[c.Key] = Truth{Counts: slices.Clone(c.truth.Counts)}
		}
	}
	return truths
}

// Started is when the process started.
func (p *Process) Started() time.Time { return p.started }

// Bounds of the SLI: its finite upper bounds in seconds.
func Bounds() []float64 { return slices.Clone(boundsSLI) }
