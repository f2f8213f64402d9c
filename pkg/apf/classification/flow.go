// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// maximumWait in a queue: a quarter of the deadline, and at most a minute
// (getRequestWaitContext in pkg/server/filters/priority-and-fairness.go). The
// deadline is --request-timeout, by default 60 s.
const maximumWait = 60 * time.Second / 4

// flow returns the flow of a request, and its queues. Where there is one queue or
// none nobody tells flows apart.
func (l *level) flow(fs *flowcontrolv1.FlowSchema, caller user.Info, info *request.RequestInfo) (*slo.Flow, *slo.FlowQueues) {
	queuing := l.queuing()
	if queuing == nil {
		return nil, nil
	}
	var flow *slo.Flow
	var hash uint64
	if queuing.Queues > 1 {
		flow = &slo.Flow{}
		if method := fs.Spec.DistinguisherMethod; method != nil {
			flow.DistinguisherMethod = string(method.Type)
			switch method.Type {
			case flowcontrolv1.FlowDistinguisherMethodByUserType:
				flow.Distinguisher = caller.GetName()
			case flowcontrolv1.FlowDistinguisherMethodByNamespaceType:
				flow.Distinguisher = info.Namespace
			}
		}
		hash = hashFlow(fs.Name, flow.Distinguisher)
	}
	queues := &slo.FlowQueues{
		Queues: queuing.Queues, QueueLengthLimit: queuing.QueueLengthLimit,
		MaximumWaitMilliseconds: maximumWait.Milliseconds(),
	}
	l.dealer.Deal(hash, func(queue int) {
		queues.Hand = append(queues.Hand, int32(queue))
	})
	return flow, queues
}

// hashFlow is the entropy that the hand is dealt by (hashFlowID in
// apf_controller.go): the first eight bytes of the SHA-256 of both names, with a
// zero between them.
func hashFlow(flowSchema, distinguisher string) uint64 {
	sum := sha256.Sum256([]byte(flowSchema + "\x00" + distinguisher))
	return binary.LittleEndian.Uint64(sum[:8])
}
