#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Fails when a go.mod or go.sum of this repository is not tidy.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

untidy=0
while read -r mod; do
	dir="$(dirname "${mod}")"
	if [[ "${dir}" == test/peers ]]; then
		# Tidy knows no build tags, and wants the SDK of every cloud: see hack/peers.sh.
		go -C "${dir}" list -mod=readonly -deps -tags 'remove_all_sd enable_kubernetes_sd' tool >/dev/null || untidy=1
		continue
	fi
	if diff="$(go -C "${dir}" mod tidy -diff)"; then
		continue
	fi
	untidy=1
	if [[ -n "${diff}" ]]; then
		printf '%s\n%s is not tidy. Remedy: make update\n' "${diff}" "${mod}" >&2
	else
		echo "${mod} could not be checked: see above. It needs the modules that tests of our dependencies need." >&2
	fi
done < <(git ls-files --cached --others --exclude-standard -- go.mod '*/go.mod')
exit "${untidy}"
