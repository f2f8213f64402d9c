// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"fmt"
	"runtime/debug"

	"k8s.io/klog/v2"
)

// guard does something and turns a panic into an error. An evaluation runs on a
// goroutine of its own, where a panic would end the process, and with it the
// APIService: a defect that one reading brings to light must not cost more than
// that reading. The error is for readers, the stack for the log alone.
func guard(ctx context.Context, what string, do func()) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%s: panic: %v", what, cause)
			klog.FromContext(ctx).Error(nil, "Recovered from a panic, please report it", "while", what, "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	do()
	return nil
}
