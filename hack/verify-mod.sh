#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Fails when a go.mod or go.sum of this repository is not tidy.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

untidy=0
while read -r mod; do
	dir="$(dirname "${mod}")"
	if ! go -C "${dir}" mod tidy -diff; then
		echo "${mod} is not tidy. Remedy: make update" >&2
		untidy=1
	fi
done < <(git ls-files --cached --others --exclude-standard -- go.mod '*/go.mod')
exit "${untidy}"
