#!/usr/bin/env bash
# Copyright The slo-apiserver Authors.
# SPDX-License-Identifier: Apache-2.0

# Fails when docs/metrics.md is not of the signals that are read.
# Remedy: go test ./pkg/evidence -update
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go test -count=1 -run TestMetricsTable ./pkg/evidence
