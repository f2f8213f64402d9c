#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Unit and conformance tests of all modules, then a few seconds of fuzzing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "== what the tests run beside Debian's packages"
hack/peers.sh
echo "== tests of the product"
go test -race ./...
echo "== tests of the lab"
(cd test/lab && go test -race ./internal/... ./cmd/lab/...)
echo "== tests of the figures beside Prometheus"
(cd test/perf && go test ./...)
echo "== a few seconds of fuzzing"
hack/fuzz.sh 3s
