// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package forecast

// raced says that the race detector makes everything some ten times slower.
const raced = false
