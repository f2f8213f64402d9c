// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"math"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// some is more than nothing: see count.
const some = " >= 1e-6"

// queuesEvidence says what queues are made from, by priority level.
func queuesEvidence(reading *sources.Reading) (part evidence.Part) {
	result, by := reading.Results[apf.WaitDurations], []string{"priority_level"}
	if again := result.Expressions; again != nil {
		requests := again.Increase(by, sources.Selection{sources.Bound(math.Inf(+1))}) + some
		milliseconds := "1000 * " + again.Sum(by)
		part.Figure("overhead.queues.requests", evidence.Whole(requests))
		part.Figure("overhead.queues.milliseconds", evidence.Whole(milliseconds+some))
		part.Figure("overhead.queues.perRequestMilliseconds", "round("+milliseconds+" / ("+requests+"))")
	}
	part.Signal(apf.Declared(apf.WaitDurations), result, len(result.Series))
	return part
}

// rejectionsEvidence says what rejections are made from, by reason.
func rejectionsEvidence(reading *sources.Reading) (part evidence.Part) {
	result := reading.Results[apf.RejectedRequests]
	if again := result.Expressions; again != nil {
		part.Figure("rejectedRequests.byReason.requests", evidence.Whole(again.Increase([]string{"reason"})+some))
	}
	part.Signal(apf.Declared(apf.RejectedRequests), result, len(result.Series))
	return part
}
