// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// process is the history of one process.
type process struct {
	started  time.Time   // as told; zero when it does not tell
	first    time.Time   // of all its scrapes, those that are no longer kept included
	times    []time.Time // of its scrapes, ascending
	offset   int         // number of times[0]; scrapes are numbered from 0
	series   map[*identity]*series
	ordered  []*series           // the same, in the order in which they were first seen
	order    []*series           // those of the newest scrape that are held, in its order
	before   []*series           // an order that is no longer needed, for its memory
	families map[string]met      // that it has exposed so far
	warnings map[string][]string // of the newest scrape
	// refused is when a series was first refused over the limit. From then on no
	// new one is taken: it might be one that was refused before, and would seem to
	// begin at zero.
	refused time.Time
}

// met says which scrapes of a process had a family, by their numbers.
type met struct{ first, newest int }

// isOlder says that an answer is of an older version than the process: it has a family
// in place of one that the process has exposed. Without a start time this is all that
// tells a rollback.
func (p *process) isOlder(e *exposition) bool {
	var last *family
	for _, sample := range e.samples {
		f := sample.id.family
		if f != last && f.replaced(p.exposes) && !f.replaced(e.has) {
			return true
		}
		last = f
	}
	return false
}

func (p *process) newest() time.Time {
	return p.times[len(p.times)-1]
}

// start is when the process started by our clock: not after we first saw it,
// whatever its own clock says; zero when it does not tell.
func (p *process) start() time.Time {
	if p.started.After(p.first) {
		return p.first
	}
	return p.started
}

// add the samples of the scrape that was added to times last.
func (p *process) add(e *exposition, limit int) {
	scrape := p.offset + len(p.times) - 1
	p.warnings = e.warnings
	p.meet(e.families, scrape)
	next := 0 // index in order of the series that is expected
	order := p.order
	p.order = p.before[:0]
	var last *family
	replaced := false
	for _, sample := range e.samples {
		if f := sample.id.family; f != last {
			last, replaced = f, f.replaced(p.exposes)
		}
		if replaced {
			continue
		}
		var held *series
		if next < len(order) && order[next].id == sample.id {
			held = order[next]
		} else if held = p.held(sample.id, limit); held == nil {
			continue
		}
		next = max(next, held.place+1)
		p.order = append(p.order, held)
		held.seen = scrape
		held.add(scrape, sample)
	}
	p.before = order
	for i, held := range p.order {
		held.place = i
	}
	for _, held := range p.ordered {
		if held.seen != scrape {
			held.add(scrape, sample{state: absent})
		}
	}
}

// meet the families of a scrape. What those replace that the process had not exposed
// before is dropped.
func (p *process) meet(families map[string]bool, scrape int) {
	fresh := false
	for name := range families {
		f, exposed := p.families[name]
		if !exposed {
			f.first, fresh = scrape, true
		}
		f.newest = scrape
		p.families[name] = f
	}
	if !fresh {
		return
	}
	p.ordered = slices.DeleteFunc(p.ordered, func(s *series) bool {
		if !s.id.family.replaced(p.exposes) {
			return false
		}
		// It was read until now, and is not known to have been there any more.
		delete(p.series, s.id)
		delete(p.families, s.id.family.name)
		return true
	})
}

// exposes says whether the process has exposed a family so far.
func (p *process) exposes(metric string) bool {
	_, exposed := p.families[metric]
	return exposed
}

// held returns the series with an identity, a new one if need be, or nil over the
// limit.
func (p *process) held(id *identity, limit int) *series {
	if held := p.series[id]; held != nil {
		return held
	}
	if len(p.series) >= limit && p.refused.IsZero() {
		p.refused = p.newest()
	}
	if !p.refused.IsZero() {
		return nil
	}
	held := &series{id: id, place: -1}
	if id.family.kind == sources.Histogram {
		held.histogram = &histogram{}
	}
	p.series[id] = held
	p.ordered = append(p.ordered, held)
	return held
}

// prune drops scrapes before oldest, except the last of them: a window that
// begins at oldest is read from there.
func (p *process) prune(oldest time.Time) {
	drop := lastNotAfter(p.times, oldest)
	if drop <= 0 {
		return
	}
	p.times = slices.Delete(p.times, 0, drop)
	p.offset += drop
	for _, s := range p.ordered {
		if s.prune(p.offset); s.gone() {
			delete(p.series, s.id)
		}
	}
	p.ordered = slices.DeleteFunc(p.ordered, (*series).gone)
}
