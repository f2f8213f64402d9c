// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"slices"
)

// place of a series in the answers of a target: where it stood last time, and
// how its labels were spelled there.
type place struct {
	labels uint64    // trace of the labels as spelled; 0 when that is not remembered
	id     *identity // nil when no signal reads the series
	held   *series   // of exposition.process, which has what stood here last
	length uint32    // of the labels, in bytes
	size   uint32    // of a histogram in the text format, in bytes; 0 when it is not known
	seen   uint32    // number of the scan that had it last
	at     int32     // index in places.order; -1 when it is new
	bare   bool      // has no labels
}

// begins says that a text begins with the labels as they are spelled.
func (pl *place) begins(text []byte) bool {
	return len(text) >= int(pl.length) && traceOf(text[:pl.length]) == pl.labels
}

// places of a family in the last answer of a target. A target exposes its series
// in the same order each time, but for those that come and go: the series after
// the last one is mostly the one that was there last time.
type places struct {
	scan    uint32    // number of the scan that had the family last
	exposed bool      // in that scan, with a series at least
	order   []*place  // of the last scan
	at      int       // index in order of the place that is expected next
	moved   []*place  // of the scan under way, once it differs from order
	index   *index    // nil until it is needed in the scan under way
	bounds  []float64 // of the last histogram: the next one mostly has the same
	spelled spelled   // in the text format
}

// index finds places that do not stand where they stood. It is made when one does
// not, and for that scan only: such maps would be a fifth of what a target takes.
type index struct {
	byLabels map[uint64]*place
	byID     map[*identity]*place
}

// begin a scan.
func (p *places) begin(scan uint32) {
	p.scan, p.exposed, p.at, p.moved, p.index = scan, false, 0, nil, nil
}

// indexed places of the last scan, and of the one under way.
func (p *places) indexed() *index {
	if p.index == nil {
		p.index = &index{make(map[uint64]*place, len(p.order)), make(map[*identity]*place, len(p.order))}
		for _, pl := range p.order {
			p.index.byLabels[pl.labels] = pl
			if pl.id != nil {
				p.index.byID[pl.id] = pl
			}
		}
	}
	return p.index
}

// expected is the place that comes next if the answer is like the last one; nil
// when there is none.
func (p *places) expected() *place {
	if p.at < len(p.order) {
		return p.order[p.at]
	}
	return nil
}

// known returns the place with these labels as spelled; nil when it is new.
func (p *places) known(raw []byte) *place {
	labels := traceOf(raw)
	if e := p.expected(); e != nil && e.labels == labels {
		return e
	}
	return p.indexed().byLabels[labels]
}

// learn how the labels of a series are spelled; id is nil for one that no signal
// reads, and raw for what is not to be remembered.
func (p *places) learn(raw []byte, id *identity, bare bool) *place {
	index := p.indexed()
	pl := index.byID[id]
	if pl == nil {
		pl = &place{at: -1}
	} else {
		delete(index.byLabels, pl.labels) // it was spelled in another way before
	}
	pl.id, pl.bare, pl.labels = id, bare, 0
	if id != nil {
		index.byID[id] = pl
	}
	if raw != nil {
		pl.labels, pl.length = traceOf(raw), uint32(len(raw))
		index.byLabels[pl.labels] = pl
	}
	return pl
}

// take a place in the scan under way.
func (p *places) take(pl *place, scan uint32) error {
	if pl.seen == scan && pl.id != nil {
		return fmt.Errorf("one series of %s stands twice: %s", pl.id.family.name, formatLabels(pl.id.labels()))
	}
	switch {
	case p.moved == nil && pl == p.expected():
	case p.moved == nil:
		p.moved = append(make([]*place, 0, len(p.order)+1), p.order[:p.at]...)
		fallthrough
	default:
		if pl.seen != scan && p.indexed().byLabels[pl.labels] == pl {
			p.moved = append(p.moved, pl)
		}
	}
	if pl.at >= 0 {
		p.at = int(pl.at) + 1
	}
	pl.seen = scan
	return nil
}

// end of a scan that had the family: its order is the one to expect from now on.
func (p *places) end() {
	switch {
	case p.moved != nil:
		p.order = p.moved
		for i, pl := range p.order {
			pl.at = int32(i)
		}
	case p.at < len(p.order):
		p.order = slices.Delete(p.order, p.at, len(p.order))
	}
	p.moved, p.index = nil, nil
}
