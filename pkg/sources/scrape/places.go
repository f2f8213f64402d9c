// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import "fmt"

// place of a series in the answers of a target: where it stood last time, and
// how its labels were spelled there.
type place struct {
	raw  string    // the labels as spelled, or notRemembered
	id   *identity // nil when no signal reads the series
	bare bool      // has no labels
	seen uint64    // number of the scan that had it last
	at   int       // index in places.order; -1 when it is new
}

// places of a family in the last answer of a target. A target exposes its series
// in the same order each time, but for those that come and go: the series after
// the last one is mostly the one that was there last time.
type places struct {
	scan        uint64   // number of the scan that had the family last
	order, next []*place // of the last scan, and of the one under way
	at          int      // index in order of the place that is expected next
	byRaw       map[string]*place
	byID        map[*identity]*place
	bounds      []float64 // of the last histogram: the next one mostly has the same
	spelled     spelled   // in the text format
}

const (
	// longestRaw labels that are remembered, in bytes.
	longestRaw = 8 << 10
	// notRemembered is how no labels are spelled in either format.
	notRemembered = "\x00"
)

func newPlaces() *places {
	return &places{byRaw: map[string]*place{}, byID: map[*identity]*place{}}
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
	if e := p.expected(); e != nil && e.raw == string(raw) {
		return e
	}
	return p.byRaw[string(raw)]
}

// learn how the labels of a series are spelled; id is nil for one that no signal
// reads, and raw for what is not to be remembered.
func (p *places) learn(raw []byte, id *identity, bare bool) *place {
	pl := p.byID[id]
	if pl == nil {
		pl = &place{at: -1}
	} else {
		delete(p.byRaw, pl.raw) // it was spelled in another way before
	}
	pl.id, pl.bare, pl.raw = id, bare, notRemembered
	if id != nil {
		p.byID[id] = pl
	}
	if raw != nil && len(raw) <= longestRaw {
		if id != nil && id.spelled == string(raw) {
			pl.raw = id.spelled
		} else {
			pl.raw = string(raw)
		}
		p.byRaw[pl.raw] = pl
	}
	return pl
}

// take a place in the scan under way.
func (p *places) take(pl *place, scan uint64) error {
	if pl.seen == scan && pl.id != nil {
		return fmt.Errorf("one series of %s stands twice: %s", pl.id.family.name, formatLabels(pl.id.labels()))
	}
	if pl.at >= 0 {
		p.at = pl.at + 1
	}
	if pl.seen != scan && p.byRaw[pl.raw] == pl {
		p.next = append(p.next, pl)
	}
	pl.seen = scan
	return nil
}

// end of a scan that had the family: its order is the one to expect from now on.
func (p *places) end() {
	for i, pl := range p.next {
		pl.at = i
	}
	clear(p.order)
	p.order, p.next, p.at = p.next, p.order[:0], 0
	if len(p.byRaw) != len(p.order) || len(p.byID) > len(p.order) {
		for raw, pl := range p.byRaw {
			if pl.seen != p.scan {
				delete(p.byRaw, raw)
			}
		}
		for id, pl := range p.byID {
			if pl.seen != p.scan {
				delete(p.byID, id)
			}
		}
	}
}
