// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import (
	"fmt"
	"strconv"

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
