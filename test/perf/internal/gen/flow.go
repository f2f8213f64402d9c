// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"math"
	"time"
)

// flow is one flow schema with its priority level.
type flow struct {
	wait, execution, estimated, dispatched *Series
	executing, seats, queued, queuedSeats  *Series
}

func (p *Process) newFlow(l level, schema string) *flow {
	f, at := &p.flow, p.started
	s := &flow{
		wait:        f.wait.add(at, "true", schema, l.name),
		execution:   f.execution.add(at, schema, l.name, "regular"),
		estimated:   f.estimated.add(at, schema, l.name),
		dispatched:  f.dispatched.add(at, schema, l.name),
		executing:   f.executing.add(at, schema, l.name),
		seats:       f.seats.add(at, schema, l.name),
		queued:      f.queued.add(at, schema, l.name),
		queuedSeats: f.queuedSeats.add(at, schema, l.name),
	}
	f.queueLength.add(at, schema, l.name)
	return s
}

// setLimits of a level, which are there from the start.
func (p *Process) setLimits(l level) {
	f, at := &p.flow, p.started
	for _, family := range append([]*Family{f.nominal, f.current, f.concurrency}, f.limits...) {
		family.add(at, l.name).Value = l.seats
	}
	f.highWatermark.add(at, l.name)
	f.requestUtilization.add(at, "executing", l.name)
	f.requestUtilization.add(at, "waiting", l.name)
	f.seatUtilization.add(at, "executing", l.name)
	f.demand.add(at, l.name)
}

// refresh what is no count of requests: gauges, what is integrated over time, and
// the rest of the process.
func (p *Process) refresh(span time.Duration) {
	for _, f := range p.flows {
		seats := float64(p.random.IntN(6))
		f.executing.Value, f.seats.Value = math.Ceil(seats/2), seats
		if p.random.IntN(4) == 0 {
			f.queued.Value = float64(p.random.IntN(3))
			f.queuedSeats.Value = f.queued.Value
		}
	}
	for i := range levels {
		p.flow.highWatermark.Series[i].Value = float64(p.random.IntN(20))
		p.flow.limits[2].Series[i].Value = 5 * p.random.Float64()
		p.flow.limits[4].Series[i].Value = 5 * p.random.Float64()
	}
	// These observe once for each nanosecond.
	for _, f := range []*Family{p.flow.requestUtilization, p.flow.seatUtilization, p.flow.demand} {
		for _, s := range f.Series {
			most := uint64(span.Nanoseconds())
			part := p.random.Uint64N(most/10 + 1)
			s.Counts[0] += most - part
			s.Counts[1+p.random.IntN(len(f.Bounds)-1)] += part
			s.Sum += float64(part) / 10
		}
	}
	p.others.advance(p.random)
}
