// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sloreport

import (
	"reflect"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// watched is what of a report is news by itself: the objective, the verdict and
// its reasons, the bucket of the percentile, the keys that do not hold, the error
// budget and the completeness of the data. Request counts, ratios, interpolated
// quantiles and messages, which hold counts, move with every evaluation and come
// with the refresh.
type watched struct {
	labels, annotations map[string]string
	spec                slo.SLOReportSpec
	verdict             slo.Verdict
	p99Bucket           *slo.LatencyBucket
	violatedKeys        *int64
	worstKey            string // while it is violated: otherwise any key may lead
	badMinutes          *int32
	instances           *slo.InstanceCounts
	conditions          []computed.ConditionState
}

func watch(r *slo.SLOReport) watched {
	w := watched{
		labels:      r.Labels,
		annotations: r.Annotations,
		spec:        r.Spec,
		verdict:     r.Status.Verdict,
		p99Bucket:   r.Status.P99Bucket,
		instances:   r.Status.Instances,
		conditions:  computed.ConditionStates(r.Status.Conditions),
	}
	if r.Status.Keys != nil {
		w.violatedKeys = &r.Status.Keys.Violated
	}
	if r.Status.Day != nil {
		w.badMinutes = &r.Status.Day.BadMinutes
	}
	if r.Status.Verdict == slo.VerdictViolated && len(r.Status.Worst) > 0 {
		w.worstKey = keyName(&r.Status.Worst[0])
	}
	return w
}

func changed(before, after *slo.SLOReport) bool {
	return !reflect.DeepEqual(watch(before), watch(after))
}
