#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs every hack/verify-*.sh, all of them even when one fails. Each names its
# own repair.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()
for check in hack/verify-*.sh; do
	start=$SECONDS
	printf '== %s\n' "$check"
	if "$check"; then
		printf '   ok (%ss)\n' $((SECONDS - start))
	else
		failed+=("$check")
	fi
done
if ((${#failed[@]})); then
	printf 'failed: %s\n' "${failed[*]}" >&2
	exit 1
fi
