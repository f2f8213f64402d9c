#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs golangci-lint, pinned in hack/tools/lint, over the product: linters and
# formatters of .golangci.yaml. The lab is vetted by its tests: to analyse all of
# Kubernetes with it takes minutes. The first run builds it, which takes minutes.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "${root}"

# Built once: `go tool` with another module's go.mod would lint by that one.
lint="$(go -C hack/tools/lint tool -n golangci-lint)"

if ! "${lint}" run --allow-parallel-runners ./...; then
	echo "Remedy: make update formats; the rest needs a hand. See .golangci.yaml." >&2
	exit 1
fi
