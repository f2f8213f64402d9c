// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apf tells how many seats are left in the priority levels of API
// Priority & Fairness, and how hard each level is pressed. It is pure: a Reading
// and the configuration of the levels go in, APFHeadrooms come out.
//
// What k8s.io/apiserver v0.37.2 pkg/util/flowcontrol does, and what this package
// makes of it:
//
// Seats do not move between kube-apiservers: every figure is taken per instance,
// and the worst instance leads. There is one APFHeadroom for each
// PriorityLevelConfiguration and none for a level that only the metrics know:
// the gauges of a deleted level stay at their last value until the process ends
// (metrics/metrics.go sets them and never deletes them), so they prove nothing.
//
// Headroom is the current limit less the seats taken. It is negative while a
// request wider than the limit runs, which it may when it runs alone
// (fairqueuing/queueset canAccommodateSeatsLocked). It is zero for an idle level
// that has lent all its seats: a level with queues then lets requests wait until
// limits are next adjusted, up to ten seconds later; one without lets in a single
// request. Such a level is Idle and has no headroom.
//
// There are three headrooms, since there are three limits: what fits now, what fits
// once a level has back what it lent, and what fits at most. See row.readHeadrooms and
// instance.reachableLimit.
//
// Gauges show the moments of samples, and miss the bursts between them. The histogram
// of seats taken as a share of the current limit is integrated over time within the
// kube-apiserver: from it come the mean, the peak, and how long a level was full. It
// gives shares and not seats, because the limit moves every ten seconds and nothing
// tells which share was of which limit.
//
// The samples of the smoothed demand tell when it will be at the reachable limit, if it
// goes on rising as it did: see package forecast. Requests in queues are demand, those
// that were rejected are not.
//
// Missing is not zero. Series of a level appear with its first use; the catalog
// names for each signal what has to be there for an absent series to be a zero.
// A total is absent as soon as one observed instance lacks the figure.
//
// Bad news is believed at once, good news when all is known. Rejecting and
// Queueing need one instance that shows them, over whatever time it was read.
// Idle and Ok need every expected instance, every figure that could say
// otherwise, and the whole window; until then the pressure is Unknown and
// HasHeadroom is Unknown, beside the figures there are.
//
// A level is exempt by its configuration, which all instances share: it is
// Unlimited as soon as one instance was read and shows flow control at all.
//
// A request that gave up in its queue counts as rejected. Since 1.28 such a
// request is "time-out" whether its client went away or its time was up; before,
// the first kind was "cancelled". Only by counting both do two versions agree.
//
// The label execute of the wait histogram tells whether a request was let into
// a queue, not whether it was executed (apf_filter.go observes req != nil).
// "false" are the ones rejected on arrival, whose wait of nothing would flatter
// the percentile: they are left out. "true" holds the ones that timed out too,
// and nothing tells them apart: they waited, so they stay in.
package apf
