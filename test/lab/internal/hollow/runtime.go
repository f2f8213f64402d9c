// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"math/rand/v2"
	"time"

	cri "k8s.io/cri-api/pkg/apis"
)

// slowStart is a runtime service that takes as long to start a container as a node with the image at hand.
//
// The fake runtime starts containers in no time: the kubelet then sees a pod run before it has noted that the pod
// exists, and the pod start SLI misses the sample or gets it many seconds late. No real node behaves so.
type slowStart struct {
	cri.RuntimeService
	delay time.Duration
}

// StartContainer takes the time that containers take on a real node.
func (s slowStart) StartContainer(ctx context.Context, id string) error {
	// Between 1x and 1.5x: identical starts would fall into one histogram bucket.
	select {
	case <-time.After(s.delay + time.Duration(rand.Int64N(int64(s.delay)/2+1))):
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.RuntimeService.StartContainer(ctx, id)
}
