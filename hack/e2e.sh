#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs the end-to-end tests in a lab of their own, which is gone afterwards. More
# arguments go to the test binary: hack/e2e.sh bin/lab -test.run TestFlood
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lab=$(realpath "${1:?usage: e2e.sh LAB [TEST FLAGS]}")
shift
dir=$(mktemp -d)
trap '"$lab" down --dir "$dir" --purge >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT

# What is slow the first time comes before the clock of the tests starts.
"$lab" build
go test -c -tags e2e -o "$dir/e2e.test" ./test/e2e
cd test/e2e
# What is parallel waits, and needs no processor of its own.
"$dir/e2e.test" -test.v -test.timeout 40m -test.parallel 16 \
	-lab "$lab" -server "$(realpath ../../bin/slo-apiserver)" -lab-dir "$dir/lab" "$@"
