// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// window is what is asked for.
type window struct {
	at     time.Time
	length time.Duration
	// stale is the age from which a sample no longer speaks for the present.
	stale time.Duration
}

func (w window) start() time.Time { return w.at.Add(-w.length) }

// span is what one process contributes to a window: the scrapes from and to, as
// indexes into its times. from may be birth.
type span struct {
	process  *process
	from, to int
}

func (s span) first() time.Time {
	if s.from == birth {
		return s.process.start()
	}
	return s.process.times[s.from]
}

func (s span) last() time.Time { return s.process.times[s.to] }

// member is an instance of a reading and the processes it is made of: one, or
// several that followed each other.
type member struct {
	sources.Instance
	spans []span // ordered by time; none when it was never read
	gone  bool   // its target is no longer found
}

// counts says whether the figures include the member. What is expected and can
// not be read does not count: half of a window is no answer. What is gone does:
// there is no other half.
func (m member) counts() bool { return m.Observed || m.gone }

// members of the processes at one address. They are one instance when each
// followed the other: a restart is a reset, and the instance goes on. They are an
// instance each when they run side by side behind the address: then all are
// named address#start, start in seconds since 1970.
func (w window) members(id targetID, processes []*process) (members []member, shared bool) {
	var spans []span
	for _, p := range processes {
		if from, to, ok := between(p.times, p.start(), w.at, w.length); ok {
			spans = append(spans, span{p, from, to})
		}
	}
	spans = w.relevant(spans)
	slices.SortStableFunc(spans, func(a, b span) int { return a.process.first.Compare(b.process.first) })
	if !w.sideBySide(spans) {
		if len(spans) == 0 {
			return nil, false
		}
		return []member{w.member(id, id.name, spans, w.stale)}, false
	}
	// Each answers only some of the scrapes.
	stale := w.stale * time.Duration(len(spans))
	for _, s := range spans {
		name := fmt.Sprintf("%s#%d", id.name, s.process.started.Unix())
		members = append(members, w.member(id, name, []span{s}, stale))
	}
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.Name, b.Name) })
	return members, true
}

// relevant leaves out the processes that did not answer within the window, except
// one that still spoke for the present when it began, while no other one did: what
// it counted until that started is lost. When none answered, the newest one tells
// how long that has been so.
func (w window) relevant(spans []span) []span {
	var answered []span
	var newest *span
	for i, s := range spans {
		if s.last().After(w.start()) || s.last().After(w.start().Add(-w.stale)) && !w.followed(s, spans) {
			answered = append(answered, s)
		}
		if newest == nil || s.last().After(newest.last()) {
			newest = &spans[i]
		}
	}
	if answered == nil && newest != nil {
		answered = []span{*newest}
	}
	return answered
}

// followed says that another process answered after s and not after the start of the
// window.
func (w window) followed(s span, spans []span) bool {
	return slices.ContainsFunc(spans, func(other span) bool {
		return other.from != birth && other.first().After(s.last()) && !other.first().After(w.start())
	})
}

// sideBySide says that the processes can not have followed each other: one
// answered again after another one had, or one that had been running since before
// the window answered only after another one had within it.
func (w window) sideBySide(spans []span) bool {
	for i := 1; i < len(spans); i++ {
		earlier, later := spans[i-1], spans[i]
		known := !earlier.process.started.IsZero() && !later.process.started.IsZero()
		again := earlier.last().After(later.process.first)
		before := later.from != birth && earlier.last().After(w.start())
		if known && (again || before) {
			return true
		}
	}
	return false
}

func (w window) member(id targetID, name string, spans []span, stale time.Duration) member {
	last := spans[len(spans)-1]
	m := member{
		Instance: sources.Instance{Component: id.component, Name: name, Started: last.process.start()},
		spans:    spans,
	}
	if w.at.Sub(last.last()) > stale {
		m.Problem, m.Cause = "last read at "+last.last().UTC().Format(time.RFC3339), sources.StaleSamples
		return m
	}
	m.Observed, m.First, m.Last, m.Lost = true, spans[0].first(), last.last(), w.lost(spans)
	return m
}

// lost is the longest time in the window between the last sample of a process and
// the start of the one that followed it.
func (w window) lost(spans []span) time.Duration {
	var longest time.Duration
	for i := 1; i < len(spans); i++ {
		since := spans[i-1].last()
		if since.Before(w.start()) {
			since = w.start()
		}
		longest = max(longest, spans[i].process.start().Sub(since))
	}
	return longest
}
