// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"sort"
	"sync"
)

const (
	// remembered is how many evaluations a watch can resume from and a list can be
	// continued in. Watchers hear of a version once a minute at least (see
	// refreshInterval). At the default of four evaluations a minute a client has six
	// minutes: kube-apiserver compacts its history, and with it continue tokens, after
	// five (k8s.io/apiserver pkg/storage/storagebackend, DefaultCompactInterval).
	remembered = 24
	// rememberedObjects bounds the memory where an evaluation has many objects: at
	// about 2 KB each, which is an indicator with all its figures, that is 40 MB.
	rememberedObjects = 20_000
	// rememberedAlways is the newest evaluation and the one before it: a list is
	// continued, and followed by a watch, within moments.
	rememberedAlways = 2
)

// evaluated is an evaluation that clients may know the version of. It is immutable
// but for the answers that its readers share.
type evaluated[T any, P Object[T]] struct {
	version uint64
	// items have the version, so that all answers can share them. Nobody writes to
	// them: what an encoder is to mark with its type is copied first; see stamped.
	items   []T
	answers answers[T, P]
}

// find returns the item of that name, or nil.
func (e *evaluated[T, P]) find(name string) *T {
	if i := e.index(name); i < len(e.items) && P(&e.items[i]).GetName() == name {
		return &e.items[i]
	}
	return nil
}

// index of the first item whose name is not before this one.
func (e *evaluated[T, P]) index(name string) int {
	return sort.Search(len(e.items), func(i int) bool { return P(&e.items[i]).GetName() >= name })
}

// memory keeps the evaluations that clients may know the versions of.
type memory[T any, P Object[T]] struct {
	mu          sync.Mutex
	evaluations []*evaluated[T, P] // oldest first
}

// add remembers a snapshot that is about to be served. One that is older than the
// newest is served as that: a reader that was slow to come here finds what others
// have seen already.
func (m *memory[T, P]) add(s *Snapshot[T]) *evaluated[T, P] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.evaluations); n > 0 {
		newest := m.evaluations[n-1]
		if newest.version >= s.ResourceVersion {
			return newest
		}
		newest.answers.drop() // its readers have them, and there will be few more
	}
	e := &evaluated[T, P]{version: s.ResourceVersion, items: make([]T, 0, len(s.Items))}
	for i := range s.Items {
		e.items = append(e.items, *stamped[T, P](&s.Items[i], s.ResourceVersion))
	}
	m.evaluations = append(m.evaluations, e)
	m.forget()
	return e
}

// forget the oldest evaluations that there is no room for.
func (m *memory[T, P]) forget() {
	objects, keep := 0, 0
	for i := len(m.evaluations) - 1; i >= 0 && keep < remembered; i-- {
		objects += len(m.evaluations[i].items)
		if keep >= rememberedAlways && objects > rememberedObjects {
			break
		}
		keep++
	}
	if gone := len(m.evaluations) - keep; gone > 0 {
		m.evaluations = append([]*evaluated[T, P](nil), m.evaluations[gone:]...)
	}
}

// get returns the evaluation of exactly this version, or nil.
func (m *memory[T, P]) get(version uint64) *evaluated[T, P] {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.evaluations {
		if e.version == version {
			return e
		}
	}
	return nil
}
