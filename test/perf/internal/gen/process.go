// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Config of a made-up kube-apiserver.
type Config struct {
	// Combinations of resource, verb and scope that have been used when it starts
	// to be watched.
	Combinations int
	// Births are further combinations that are used now and then, and not yet.
	Births int
	// Seed of its traffic.
	Seed uint64
	// Now is when it starts to be watched. It has been up for a day by then.
	Now time.Time
}

// uptime of a process when it starts to be watched.
const uptime = 24 * time.Hour

// busyShare of the combinations get requests all the time, the others now and
// then. In the lab under mixed load a quarter of the series of the SLI changed in
// 15 s; where controllers hold many kinds of objects it is less.
const busyShare = 0.2

// Process is one kube-apiserver. It is for one goroutine.
type Process struct {
	random       *rand.Rand
	now, started time.Time
	combinations []*combination
	requests     requestFamilies
	flow         flowFamilies
	others       *others
	flows        []*flow
	resources    []*resourceSeries
	families     []*Family // all, sorted by name
	buffers      [4][]byte
}

// New returns a process that has been up for a day.
func New(c Config) (*Process, error) {
	if c.Combinations < 1 || c.Births < 0 {
		return nil, fmt.Errorf("%d combinations and %d births: must be positive", c.Combinations, c.Births)
	}
	p := &Process{random: rand.New(rand.NewPCG(c.Seed, 0))}
	// What resources there are and how busy they are does not depend on the seed:
	// instances of one cluster differ in their requests only.
	plan := rand.New(rand.NewPCG(1, uint64(c.Combinations)))
	for i := 0; len(p.combinations) < c.Combinations+c.Births; i++ {
		n := min(minCalls+plan.IntN(maxCalls-minCalls+1), c.Combinations+c.Births-len(p.combinations))
		for _, call := range calls[:n] {
			p.combinations = append(p.combinations, newCombination(plan, i, resourceAt(i), call))
		}
	}
	// Which ones are born late is spread over them.
	for _, i := range plan.Perm(len(p.combinations))[:c.Births] {
		p.combinations[i].late = true
		p.combinations[i].rate = 1.0 / 120 // one in two minutes
	}
	p.now = c.Now.Add(-uptime)
	p.start(p.now)
	for _, combination := range p.combinations {
		if !combination.late {
			p.serveMany(combination, max(1, uint64(combination.rate*uptime.Seconds())))
		}
	}
	p.now = c.Now
	p.refresh(0)
	return p, nil
}

// start with nothing counted.
func (p *Process) start(at time.Time) {
	p.started = at
	p.requests, p.flow = newRequestFamilies(), newFlowFamilies()
	p.others = newOthers(p.random, at)
	p.families = slices.Concat(p.requests.all(), p.flow.all(), p.others.families)
	slices.SortFunc(p.families, func(a, b *Family) int { return cmp.Compare(a.Name, b.Name) })
	p.others.start.add(at).Value = float64(at.UnixMilli()) / 1000
	p.resources, p.flows = nil, nil
	for _, l := range levels {
		for _, schema := range l.schemas {
			p.flows = append(p.flows, p.newFlow(l, schema))
		}
		p.setLimits(l)
	}
	for _, c := range p.combinations {
		c.forget()
		for len(p.resources) <= c.resource {
			p.resources = append(p.resources, p.newResource(len(p.resources)))
		}
	}
}

// Restart ends the process and starts the next one at its address: nothing was
// requested between the last Advance and at, and all counts begin anew.
func (p *Process) Restart(at time.Time) {
	p.now = at
	p.start(at)
	p.refresh(0)
}

// Advance serves requests until then.
func (p *Process) Advance(to time.Time) {
	from, span := p.now, to.Sub(p.now)
	for _, c := range p.combinations {
		if n := poisson(p.random, c.rate*span.Seconds()); n > 0 {
			// What is born has its time of birth, as exact as samples are dated.
			p.now = from.Add((span / 2).Truncate(time.Millisecond))
			p.serve(c, n)
		}
	}
	p.now = to
	p.refresh(span)
}

// poisson draws how many requests come where mean are expected.
func poisson(random *rand.Rand, mean float64) uint64 {
	if mean > 30 {
		return uint64(math.Max(0, math.Round(mean+math.Sqrt(mean)*random.NormFloat64())))
	}
	n := uint64(0)
	for left := mean - random.ExpFloat64(); left > 0; left -= random.ExpFloat64() {
		n++
	}
	return n
}

// Stats of a body.
type Stats struct {
	Families, Samples      int
	TextBytes, NeededBytes int
	// NeededSeries are label sets, NeededSamples what the text has of them: a
	// histogram is one of the former and many of the latter.
	NeededSeries, NeededSamples int
}

// Stats says how large the body is, and how much of it is in the families for
// which needed is true. NeededSeries are label sets: a histogram is one.
func (p *Process) Stats(needed func(name string) bool) Stats {
	var stats Stats
	var line []byte
	for _, f := range p.families {
		if len(f.Series) == 0 {
			continue
		}
		line = line[:0]
		for _, s := range f.Series {
			line = f.appendText(line, s)
		}
		size := len(line) + 2*len(f.Name) + len(f.Help) + len(f.Kind.String()) + len("# HELP  \n# TYPE  \n")
		stats.Families++
		stats.Samples += f.samples()
		stats.TextBytes += size
		if needed(f.Name) {
			stats.NeededBytes += size
			stats.NeededSeries += len(f.Series)
			stats.NeededSamples += f.samples()
		}
	}
	return stats
}
