#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Fails when the generated code is not what hack/update-codegen.sh would write.
# It generates into a copy and leaves the working tree alone.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "${root}"

# All that the generators read, and all that they write.
readonly inputs=(go.mod go.sum hack pkg/apis)
readonly outputs=(pkg/apis pkg/generated)

copy="$(mktemp -d)"
trap 'rm -rf "${copy}"' EXIT
mkdir -p "${copy}/pkg"
for path in "${inputs[@]}"; do
	cp -R "${path}" "${copy}/${path}"
done

"${copy}/hack/update-codegen.sh"

stale=0
for path in "${outputs[@]}"; do
	diff -Naur "${path}" "${copy}/${path}" || stale=1
done
if ((stale)); then
	echo "Generated code is out of date. Remedy: make update-codegen" >&2
	exit 1
fi
