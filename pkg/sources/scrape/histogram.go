// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// histogram is the history of a histogram, as chapters.
type histogram struct {
	chapter *chapter // the newest
	state   state    // newest
	before  state    // the newest one that is not unknown
	oldest  state    // before the first record
	last    int      // number of the scrape that has the newest record
}

// empty says that there is nothing but absence.
func (h *histogram) empty() bool {
	return h.state == absent && h.oldest == absent && (h.chapter == nil || len(h.chapter.log) == 0 && h.chapter.earlier == nil)
}

// add what a scrape says.
func (h *histogram) add(scrape int, now *sample) {
	c := h.chapter
	switch {
	case now.state != known:
		if now.state == h.state && c != nil {
			return
		}
		if c == nil {
			c = h.open(scrape, nil)
		}
		c.mark(scrape-h.last, now.state)
	case now.unchanged:
		return
	case c == nil || h.before != known || !sameBounds(c.bounds, now.bounds):
		// With other bounds it was registered anew.
		h.open(scrape, now.bounds).record(scrape-h.last, anew, nil, now)
	default:
		var space [64]float64
		before := c.counts(space[:0])
		if isReset(before, now.counts) {
			// As a whole when one of its buckets falls: taken alone, a bucket that has
			// passed its old count again would seem to have counted the difference.
			h.open(scrape, now.bounds).record(scrape-h.last, anew, nil, now)
			break
		}
		if h.state == known && sameNumber(c.sum(), now.number) && slices.Equal(before, now.counts) {
			c.trace = now.trace // is written in another way
			return
		}
		c.record(scrape-h.last, added, before, now)
	}
	h.last, h.state = scrape, now.state
	if now.state != unknown {
		h.before = now.state
	}
}

// open a chapter; bounds are nil while nothing is known.
func (h *histogram) open(scrape int, bounds []float64) *chapter {
	c := h.chapter
	switch {
	case c == nil:
		h.last = scrape
	case c.bounds == nil:
		c.bounds = bounds
		return c
	}
	h.chapter = &chapter{bounds: bounds, base: h.last, earlier: c}
	return h.chapter
}

func sameBounds(a, b []float64) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// isReset says that after does not go on from before: a count fell.
func isReset(before, after []float64) bool {
	for i := range after {
		if after[i] < before[i] {
			return true
		}
	}
	return false
}

// prune drops the records up to the scrape first, and remembers the state there.
func (h *histogram) prune(first int) {
	for c := h.chapter; c != nil; c = c.earlier {
		log := c.log
		for len(log) > 0 {
			scrapes, payload, rest := cut(log)
			if c.base+scrapes > first {
				break
			}
			c.base, log = c.base+scrapes, rest
			h.oldest = kindOf(payload).state()
		}
		if len(log) < len(c.log) {
			c.log = c.log[:copy(c.log, log)]
			c.earlier = nil
			return
		}
	}
}

// histogramReader takes increases, one histogram after the other. It is kept for its
// memory.
type histogramReader struct {
	from, to int
	atBirth  bool
	begun    bool
	headless bool  // the first records of the chapter are dropped, and asked for
	state    state // at from
	blind    bool  // the next known value goes on from an unknown one
	known    bool  // a value is
	bounds   []float64
	steps    steps
	counts   []float64
	total    *sources.Buckets
	first    sources.Buckets // what total mostly is
}

// increase over the scrapes (from, to], valid until the next call; nil when no value
// is known there or at from. At birth, nothing was there before the first scrape.
func (r *histogramReader) increase(h *histogram, from, to int, atBirth bool) *sources.Buckets {
	*r = histogramReader{from: from, to: to, atBirth: atBirth, state: h.oldest, steps: r.steps, counts: r.counts}
	r.read(h.chapter, h.oldest)
	r.begin()
	if r.total == nil && r.known { // a single known value: nothing was counted since
		r.steps.reset(len(r.bounds))
		r.merge(r.bounds)
	}
	return r.total
}

// begin the window: what is known at its start.
func (r *histogramReader) begin() {
	if r.begun {
		return
	}
	r.begun = true
	r.blind, r.known = !r.atBirth && r.state == unknown, !r.atBirth && r.state == known
}

func (r *histogramReader) read(c *chapter, oldest state) {
	if c == nil {
		return
	}
	if c.earlier != nil {
		r.read(c.earlier, oldest)
	}
	if r.bounds == nil {
		r.bounds = c.bounds // of the state before the first record, if that is known
	}
	r.steps.reset(len(c.bounds))
	// What is counted since birth includes what dropped records had.
	r.headless = r.atBirth && c.earlier == nil && oldest != absent && c.bounds != nil && !c.isWhole()
	if r.headless && oldest == known {
		r.begin()
		r.step(c, known, nil)
	}
	at := c.base
	for log := c.log; len(log) > 0; {
		scrapes, payload, rest := cut(log)
		if at += scrapes; at > r.to {
			break
		}
		log = rest
		now := kindOf(payload).state()
		if at <= r.from && !r.atBirth {
			if r.state = now; now == known {
				r.bounds = c.bounds
			}
			continue
		}
		r.begin()
		r.step(c, now, payload)
	}
	if r.steps.found {
		r.merge(c.bounds)
	}
}

// step to the value of a record in the window.
func (r *histogramReader) step(c *chapter, now state, payload []byte) {
	switch {
	case now == unknown:
		return
	case now == known && !r.known:
		r.known, r.bounds = true, c.bounds
	}
	if now == known && r.headless {
		r.headless = false
		r.steps.addBase(c)
	}
	if now == known && !r.blind && payload != nil {
		r.steps.add(payload)
	}
	r.blind = false
}

// merge the steps of a chapter into the total.
func (r *histogramReader) merge(bounds []float64) {
	counts := r.steps.total()
	if r.total == nil {
		r.counts = append(r.counts[:0], counts...)
		r.first = sources.Buckets{Bounds: bounds, Counts: r.counts, Sum: r.steps.sum}
		r.total = &r.first
		return
	}
	r.total = addBuckets(r.total, &sources.Buckets{Bounds: bounds, Counts: counts, Sum: r.steps.sum})
}

// addBuckets to a total, in place where both have the same bounds.
func addBuckets(total, b *sources.Buckets) *sources.Buckets {
	if total == nil {
		return &sources.Buckets{Bounds: b.Bounds, Counts: slices.Clone(b.Counts), Sum: b.Sum}
	}
	if !sameBounds(total.Bounds, b.Bounds) {
		return total.Add(b)
	}
	for i, n := range b.Counts {
		total.Counts[i] += n
	}
	total.Sum += b.Sum
	return total
}
