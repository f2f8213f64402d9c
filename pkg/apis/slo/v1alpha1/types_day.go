// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DayMinutes counts the minutes of the last 24 hours, one evaluation each. The
// four counts add up to 1440. Neither idle nor unknown minutes are good: they are
// in no ratio, and a minute that was not evaluated is unknown.
type DayMinutes struct {
	// goodMinutes is the number of minutes whose verdict was Met.
	GoodMinutes int32 `json:"goodMinutes"`
	// badMinutes is the number of minutes whose verdict was Violated.
	BadMinutes int32 `json:"badMinutes"`
	// idleMinutes is the number of minutes whose verdict was NoTraffic.
	IdleMinutes int32 `json:"idleMinutes"`
	// unknownMinutes is the number of minutes without a verdict. The condition
	// DayComplete says why there are any.
	UnknownMinutes int32 `json:"unknownMinutes"`
	// judgedMinutes is goodMinutes + badMinutes: the denominator of goodRatio.
	JudgedMinutes int32 `json:"judgedMinutes"`
	// goodRatio is the attainment, goodMinutes / judgedMinutes: a decimal in
	// [0,1], rounded down to six digits. Absent without a judged minute.
	// +optional
	GoodRatio string `json:"goodRatio,omitempty"`
	// badMinutesAllowed is the error budget: the bad minutes a day may have.
	BadMinutesAllowed int32 `json:"badMinutesAllowed"`
	// badMinutesLeft is badMinutesAllowed - badMinutes. It is negative when the
	// day has more bad minutes than it may have.
	BadMinutesLeft int32 `json:"badMinutesLeft"`
	// burnRates tell how fast the error budget was spent over the last hour and
	// the last six hours.
	// +listType=map
	// +listMapKey=windowMinutes
	// +optional
	BurnRates []BurnRate `json:"burnRates,omitempty"`
	// firstBadTime is the start of the first bad minute.
	// +optional
	FirstBadTime *metav1.Time `json:"firstBadTime,omitempty"`
	// lastBadTime is the start of the last bad minute.
	// +optional
	LastBadTime *metav1.Time `json:"lastBadTime,omitempty"`
}

// RequestBurnRate tells how fast requests spent what may be bad of them.
type RequestBurnRate struct {
	// windowMinutes is the length of the time, in minutes: it ends now.
	WindowMinutes int32 `json:"windowMinutes"`
	// coveredMinutes is how many of them the figures are of. What is missing had no
	// evaluation, or an incomplete one.
	CoveredMinutes int32 `json:"coveredMinutes"`
	// requests is the number of requests in the covered minutes, each counted once.
	Requests int64 `json:"requests"`
	// badRequests is how many of them were bad.
	BadRequests int64 `json:"badRequests"`
	// rate is badRequests / requests over the share that may be bad,
	// 1 - spec.goodRatio: a decimal, rounded up to six digits. At 1 exactly that
	// share is spent. Absent without requests, or without an objective.
	// +optional
	Rate string `json:"rate,omitempty"`
}

// BurnRate tells how fast the error budget was spent over a part of the day.
type BurnRate struct {
	// windowMinutes is the length of that part, in minutes: it ends with the day.
	WindowMinutes int32 `json:"windowMinutes"`
	// badMinutes is the number of bad minutes in it.
	BadMinutes int32 `json:"badMinutes"`
	// judgedMinutes is the number of good and bad minutes in it.
	JudgedMinutes int32 `json:"judgedMinutes"`
	// rate is the bad share of the judged minutes, badMinutes / judgedMinutes,
	// over the share that may be bad, 1 - spec.day.goodMinutesPercent / 100: a
	// decimal, rounded up to six digits. At 1 a day of judged minutes spends
	// exactly that share. Absent without a judged minute, or where none may be bad.
	// +optional
	Rate string `json:"rate,omitempty"`
}
