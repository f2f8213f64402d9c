// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"slices"
	"time"
)

// process is the history of one process.
type process struct {
	started  time.Time           // as told; zero when it does not tell
	first    time.Time           // of all its scrapes, those that are no longer kept included
	times    []time.Time         // of its scrapes, ascending
	offset   int                 // number of times[0]; scrapes are numbered from 0
	series   []*series           // in the order in which they were first seen
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
		f := sample.place.id.family
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
	l := lookup{process: p, before: e.process, limit: limit}
	e.process = p
	var last *family
	replaced := false
	for i := range e.samples {
		now := &e.samples[i]
		if f := now.place.id.family; f != last {
			last, replaced = f, f.replaced(p.exposes)
		}
		held := l.of(now, replaced)
		if held == nil {
			continue
		}
		held.seen = scrape
		held.add(scrape, now)
	}
	for _, held := range p.series {
		if held.seen != scrape {
			held.add(scrape, &sample{state: absent})
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
	p.series = slices.DeleteFunc(p.series, func(s *series) bool {
		if !s.id.family.replaced(p.exposes) {
			return false
		}
		// It was read until now, and is not known to have been there any more.
		delete(p.families, s.id.family.name)
		return true
	})
}

// exposes says whether the process has exposed a family so far.
func (p *process) exposes(metric string) bool {
	_, exposed := p.families[metric]
	return exposed
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
	p.series = slices.DeleteFunc(p.series, func(s *series) bool {
		s.prune(p.offset)
		return s.gone()
	})
}
