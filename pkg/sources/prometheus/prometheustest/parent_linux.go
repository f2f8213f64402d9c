// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheustest

import "syscall"

// dieWithParent ends the process when the test is killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
