// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"cmp"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// What reports on latencies tell of API Priority & Fairness is read once, for the
// headrooms; pkg/slo and pkg/apf do not know each other, and here both are known.

// queues in which requests waited, the one with most time first; nil when the waits
// are not known. All series have the priority level as their first label.
func queues(reading *sources.Reading) []v1alpha1.QueueTime {
	type waited struct{ requests, seconds float64 }
	byLevel := map[string]waited{}
	for _, s := range reading.Results[apf.WaitDurations].Series {
		b := s.Histogram
		if len(s.Values) == 0 || b == nil || len(b.Counts) == 0 {
			continue
		}
		sum := byLevel[s.Values[0]]
		sum.requests += b.Count()
		sum.seconds += b.Sum
		byLevel[s.Values[0]] = sum
	}
	var all []v1alpha1.QueueTime
	for level, w := range byLevel {
		requests, known := count(w.requests)
		milliseconds, summed := count(w.seconds * 1000)
		if !known || !summed || requests == 0 {
			continue // of a level without a sum there is nothing to say
		}
		all = append(all, v1alpha1.QueueTime{
			PriorityLevel: level, Requests: requests, Milliseconds: milliseconds,
			// Not of the whole numbers: 1.4 extrapolated requests are shown as one.
			PerRequestMilliseconds: int64(math.Round(w.seconds * 1000 / w.requests)),
		})
	}
	slices.SortFunc(all, func(a, b v1alpha1.QueueTime) int {
		return cmp.Or(-cmp.Compare(a.Milliseconds, b.Milliseconds), cmp.Compare(a.PriorityLevel, b.PriorityLevel))
	})
	return all
}

// rejections by reason; nil when they are not known. A healthy kube-apiserver has no
// series of them: that this means none is shown by the requests it dispatched, which
// are counted beside them, and has to be shown by every kube-apiserver: what was
// rejected elsewhere is told, that nothing was is not.
func rejections(reading *sources.Reading) *v1alpha1.Rejections {
	if len(reading.Results[apf.DispatchedRequests].Series) == 0 {
		return nil
	}
	byReason := map[string]float64{}
	for _, s := range reading.Results[apf.RejectedRequests].Series {
		if len(s.Values) > 0 {
			byReason[s.Values[len(s.Values)-1]] += s.Increase
		}
	}
	all := &v1alpha1.Rejections{}
	for reason, increase := range byReason {
		requests, known := count(increase)
		if !known {
			return nil
		}
		if requests > 0 {
			all.ByReason = append(all.ByReason, v1alpha1.RejectedByReason{Reason: reason, Requests: requests})
			all.Requests += requests
		}
	}
	if all.Requests == 0 && !(allDispatch(reading) && reading.Results[apf.RejectedRequests].Whole()) {
		return nil
	}
	slices.SortFunc(all.ByReason, func(a, b v1alpha1.RejectedByReason) int { return cmp.Compare(a.Reason, b.Reason) })
	return all
}

// allDispatch says that every kube-apiserver counts the requests that it dispatches.
func allDispatch(reading *sources.Reading) bool {
	return !slices.ContainsFunc(reading.Instances, func(i sources.Instance) bool {
		return i.Component == sources.KubeAPIServer &&
			!slices.ContainsFunc(reading.Results[apf.DispatchedRequests].Series, func(s sources.Series) bool { return s.Instance == i.Name })
	})
}

// count is a whole number of what is extrapolated, at least one of what is not
// nothing; a number that is none, or that no cluster reaches, is not known.
func count(n float64) (whole int64, known bool) {
	switch {
	case !(n >= 0 && n < 1<<53):
		return 0, false
	case n < 1e-6:
		return 0, true
	}
	return max(1, int64(math.Round(n))), true
}
