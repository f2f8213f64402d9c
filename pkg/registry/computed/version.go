// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"fmt"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/storage"
)

func formatVersion(version uint64) string {
	return strconv.FormatUint(version, 10)
}

// parseVersion reads a resourceVersion as a client sends it. Both "" and "0" mean
// any version, and come back as 0: every evaluation is as new as it gets.
func parseVersion(version string) (uint64, error) {
	if version == "" {
		return 0, nil
	}
	v, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("resourceVersion %q: want one that this server gave out, or none", version))
	}
	return v, nil
}

// notOlder is the answer to a client that has seen more than we have: it has
// talked to another replica, or to a process before this one. The error is the
// one that client-go knows how to recover from.
func notOlder(wanted, current uint64) error {
	if wanted <= current {
		return nil
	}
	return storage.NewTooLargeResourceVersionError(wanted, current, 1)
}

func expired(version uint64) *apierrors.StatusError {
	return apierrors.NewResourceExpired(fmt.Sprintf(
		"resourceVersion %d: this server no longer has, or never had, that evaluation; list again", version))
}

// remembered is how many evaluations a watch can resume from. Watchers hear of a
// version once a minute at least (see refreshInterval), so at the default of four
// evaluations a minute a client that lost its connection has a few minutes to
// come back without listing again. Between list and watch one is enough.
const remembered = 16

// memory keeps the evaluations that clients may know the versions of.
type memory[T any] struct {
	mu        sync.Mutex
	snapshots []*Snapshot[T] // oldest first
}

// add remembers a snapshot that is about to be served.
func (m *memory[T]) add(s *Snapshot[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.snapshots); n > 0 && m.snapshots[n-1].ResourceVersion >= s.ResourceVersion {
		return
	}
	if len(m.snapshots) == remembered {
		m.snapshots = append(m.snapshots[:0], m.snapshots[1:]...)
	}
	m.snapshots = append(m.snapshots, s)
}

// get returns the snapshot of exactly this version, or nil.
func (m *memory[T]) get(version uint64) *Snapshot[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.snapshots {
		if s.ResourceVersion == version {
			return s
		}
	}
	return nil
}
