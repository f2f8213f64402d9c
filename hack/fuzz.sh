#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs every fuzz target of the module for the given time each. The seeds and
# all former findings run in `go test` anyway; this looks for new ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:?usage: fuzz.sh DURATION, such as 60s}

grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' cmd pkg | sort | while read -r file; do
	grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/^func //' | while read -r target; do
		echo "fuzz ${target} ($(dirname "$file")) for ${time}"
		# To make one input shorter may take a minute by default, in which nothing new
		# is tried.
		go test -run '^$' -fuzz "^${target}\$" -fuzztime "$time" -fuzzminimizetime 100x "./$(dirname "$file")"
	done
done
