// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import "slices"

// book of one objective.
type book struct {
	objective Objective
	slots     slots
	rows      []row // sorted by key
	names     names
	events    *eventRing // of a Ratio, once something was recorded
}

// row of one key: 368 bytes.
type row struct {
	key   namedKey
	slots slots
}

// record the keys of a minute, for at most so many more of which there is room.
func (b *book) record(slot int, keys []KeyVerdict, room int) (refused int) {
	byKey := func(x, y KeyVerdict) int { return x.Key.Compare(y.Key) }
	if !slices.IsSortedFunc(keys, byKey) {
		keys = slices.Clone(keys)
		slices.SortStableFunc(keys, byKey)
	}
	var added []keySlots
	i := 0
	for n, k := range keys {
		if n > 0 && keys[n-1].Key == k.Key {
			continue // told twice
		}
		for i < len(b.rows) && b.names.key(b.rows[i].key).Compare(k.Key) < 0 {
			i++
		}
		if i < len(b.rows) && b.names.key(b.rows[i].key) == k.Key {
			b.rows[i].slots.record(slot, k.Verdict)
			continue
		}
		var s slots
		if s.record(slot, k.Verdict); s.isEmpty() {
			continue
		}
		if len(added) >= room || k.Key.longest() > longestName {
			refused++
			continue
		}
		added = append(added, keySlots{k.Key, s})
	}
	b.add(added)
	return refused
}

func (k Key) longest() int {
	return max(len(k.Group), len(k.Resource), len(k.Subresource), len(k.Verb))
}

// keySlots are a row to be.
type keySlots struct {
	key   Key
	slots slots
}

// add rows that are not there yet.
func (b *book) add(added []keySlots) {
	if len(added) == 0 {
		return
	}
	rows := make([]row, len(b.rows), len(b.rows)+len(added)) // of that size: rows are large
	copy(rows, b.rows)
	intern := b.names.interner()
	for _, a := range added {
		rows = append(rows, row{intern(a.key), a.slots})
	}
	slices.SortFunc(rows, func(x, y row) int { return b.names.key(x.key).Compare(b.names.key(y.key)) })
	b.rows = rows
}

// clear forgets minutes, and the rows of which nothing else is known.
func (b *book) clear(gone *minuteSet) {
	left := 0
	for i := range b.rows {
		s := &b.rows[i].slots
		if s.clear(gone); !s.isEmpty() {
			left++
		}
	}
	if left == len(b.rows) {
		return
	}
	rows := make([]row, 0, left) // of that size: rows are large
	for _, r := range b.rows {
		if !r.slots.isEmpty() {
			rows = append(rows, r)
		}
	}
	b.rows = rows
	b.names = compact(b.names, rows)
}
