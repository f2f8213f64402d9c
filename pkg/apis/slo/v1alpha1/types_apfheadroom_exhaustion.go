// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Exhaustion is when the demand of a priority level reaches the highest limit that the
// level can get in one kube-apiserver, if demand goes on rising as it did in the window:
// from then on requests wait or are rejected. It may be sooner when growth speeds up, or
// when other levels need the seats that this one would borrow; it never is when the rise
// ends.
//
// It is absent when demand does not rise, when it is too far from a straight line to tell
// that it does, when there are fewer than five figures of demand or they span less than a
// minute, and when the likely time is further ahead than four times that span. It is
// absent too once demand has reached the limit, which the message of the condition
// HasHeadroom says then, when the limit is not known, and for Exempt levels.
type Exhaustion struct {
	// instance is the address of the kube-apiserver where demand reaches its limit
	// first. Absent within the figures of one instance.
	// +optional
	Instance string `json:"instance,omitempty"`
	// earlyTime, likelyTime and lateTime are in this order, and not before the newest
	// sample. By theory 95 of 100 forecasts have the true time between early and late;
	// in simulations it is about 90.
	EarlyTime metav1.Time `json:"earlyTime"`
	// likelyTime is when the straight line reaches the limit.
	LikelyTime metav1.Time `json:"likelyTime"`
	// lateTime is absent when it is further ahead than four times spanSeconds.
	// +optional
	LateTime *metav1.Time `json:"lateTime,omitempty"`
	// limitSeats is the limit that is reached: reachableLimitSeats of the instance at
	// the newest sample, in seats.
	LimitSeats int64 `json:"limitSeats"`
	// demandSeats is smoothedDemandSeats of the instance: what was measured in the newest
	// sample, rounded.
	DemandSeats int64 `json:"demandSeats"`
	// trendSeatsPerMinute is the slope of the line in seats per minute: a decimal of up
	// to six digits, more than "0".
	TrendSeatsPerMinute string `json:"trendSeatsPerMinute"`
	// samples is the number of figures of demand that the line goes through. A
	// kube-apiserver makes one every ten seconds: what was read twice is counted once.
	Samples int64 `json:"samples"`
	// spanSeconds is the time between the oldest and the newest of them, in seconds.
	SpanSeconds int64 `json:"spanSeconds"`
}
