#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Repairs what hack/verify.sh complains of and a machine can repair: generated
# code, formatting, modules.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "${root}"

hack/update-codegen.sh

lint="$(go -C hack/tools/lint tool -n golangci-lint)"
while read -r mod; do
	dir="$(dirname "${mod}")"
	[[ "${dir}" != test/peers ]] || continue # see hack/verify-mod.sh
	go -C "${dir}" mod tidy
	[[ "${dir}" == hack/tools/* ]] || (cd "${dir}" && "${lint}" fmt --config="${root}/.golangci.yaml" ./...)
done < <(git ls-files --cached --others --exclude-standard -- go.mod '*/go.mod')
