// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import "example.io/slo-apiserver/pkg/sources"

// lookup finds the series of a process that the samples of an answer belong to.
type lookup struct {
	process *process
	before  *process // that the places of the answer hold on to series of
	limit   int      // of series
	// byID is made when a sample is not of the series that its place holds on to: it
	// is new, or another process answers than last time.
	byID map[*identity]*series
}

// of a sample; nil when it is not to be kept, because its family is replaced by
// another one or the limit is reached. The place remembers it for the next answer.
func (l *lookup) of(now *sample, replaced bool) *series {
	pl := now.place
	if pl.held != nil && l.before == l.process && !replaced {
		return pl.held
	}
	now.spellOut() // is unchanged as another process has it, not this one
	pl.held = nil
	if !replaced {
		pl.held = l.find(pl.id)
	}
	return pl.held
}

// find the series with an identity, a new one if need be, or nil over the limit.
func (l *lookup) find(id *identity) *series {
	p := l.process
	if l.byID == nil {
		l.byID = make(map[*identity]*series, len(p.series))
		for _, s := range p.series {
			l.byID[s.id] = s
		}
	}
	if held := l.byID[id]; held != nil {
		return held
	}
	if len(p.series) >= l.limit && p.refused.IsZero() {
		p.refused = p.newest()
	}
	if !p.refused.IsZero() {
		return nil
	}
	held := &series{id: id}
	if id.family.kind == sources.Histogram {
		held.histogram = &histogram{}
	}
	p.series = append(p.series, held)
	l.byID[id] = held
	return held
}
