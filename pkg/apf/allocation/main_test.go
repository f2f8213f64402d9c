// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"io"
	"os"
	"testing"

	"k8s.io/klog/v2"
)

// The controller logs every step, and an error for each configuration that can not
// be divided, of which there are many here.
func TestMain(m *testing.M) {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	os.Exit(m.Run())
}
