// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// version of the encoding that holds all that the ledger knows.
func (l *Ledger) version() uint32 {
	if slices.ContainsFunc(l.books, func(b book) bool { return b.events != nil }) {
		return ledgerWithEvents
	}
	return ledgerVersion
}

// appendEvents encodes the rings of events; see the encoding of a ledger.
func (l *Ledger) appendEvents(data []byte) []byte {
	count := len(data)
	data = binary.BigEndian.AppendUint32(data, 0)
	rings := uint32(0)
	for i := range l.books {
		ring := l.books[i].events
		if ring == nil {
			continue
		}
		rings++
		data = appendText(data, l.books[i].objective.Name)
		data = binary.BigEndian.AppendUint64(data, uint64(ring.newest))
		for _, slot := range ring.slots {
			data = binary.BigEndian.AppendUint32(data, slot.totalAndOne)
			data = binary.BigEndian.AppendUint32(data, slot.bad)
		}
	}
	binary.BigEndian.PutUint32(data[count:], rings)
	return data
}

// events of the books that were decoded before. Those of objectives that start over
// do so, too.
func (d *ledgerDecoder) events(into *Ledger, startedOver []string) {
	rings := d.uint32()
	if d.err == nil && int64(rings) > int64(len(into.books)) {
		d.err = fmt.Errorf("events of %d objectives, of %d", rings, len(into.books))
	}
	for i := uint32(0); i < rings && d.err == nil; i++ {
		name := d.text()
		ring := &eventRing{newest: int64(d.uint64())}
		for slot := range ring.slots {
			e := eventSlot{totalAndOne: d.uint32(), bad: d.uint32()}
			if d.err == nil && e.bad > 0 && e.bad >= e.totalAndOne {
				d.err = fmt.Errorf("events of %q: %d of %d are bad", name, e.bad, int64(e.totalAndOne)-1)
			}
			if d.err != nil {
				return
			}
			ring.slots[slot] = e
		}
		b := into.book(name)
		switch {
		case b == nil || b.events != nil:
			d.err = fmt.Errorf("events of %q, which is no objective or has some", name)
		case !slices.Contains(startedOver, name):
			b.events = ring
		}
	}
}
