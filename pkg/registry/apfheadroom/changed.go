// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfheadroom

import (
	"reflect"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// watched is what of a headroom is news by itself: the configuration, the
// pressure and where it is, and the completeness of the data. Seats, queues and
// request counts move with every evaluation, current limits are adjusted every
// ten seconds: they come with the refresh. That there is a forecast of exhaustion is
// news; its times, which move as well, are not.
type watched struct {
	labels, annotations map[string]string
	spec                slo.APFHeadroomSpec
	pressure            slo.Pressure
	worstInstance       string // while requests wait or are rejected: otherwise any may lead
	exhaustion          bool
	instances           *slo.InstanceCounts
	conditions          []computed.ConditionState
}

func watch(h *slo.APFHeadroom) watched {
	w := watched{
		labels:      h.Labels,
		annotations: h.Annotations,
		spec:        h.Spec,
		pressure:    h.Status.Pressure,
		exhaustion:  h.Status.Exhaustion != nil,
		instances:   h.Status.Instances,
		conditions:  computed.ConditionStates(h.Status.Conditions),
	}
	pressed := w.pressure == slo.PressureQueueing || w.pressure == slo.PressureRejecting
	if pressed && h.Status.Worst != nil {
		w.worstInstance = h.Status.Worst.Instance
	}
	return w
}

func changed(before, after *slo.APFHeadroom) bool {
	return !reflect.DeepEqual(watch(before), watch(after))
}
