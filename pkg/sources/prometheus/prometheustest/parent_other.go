// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package prometheustest

import "syscall"

// dieWithParent is known on Linux only.
func dieWithParent() *syscall.SysProcAttr { return nil }
