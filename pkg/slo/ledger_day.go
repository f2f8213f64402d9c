// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Parts of the day over which burn rates are given: an hour and six, as the fast
// and the slow of the alerts that page (The Site Reliability Workbook, chapter 5).
const (
	burnHour     = 60
	burnSixHours = 6 * 60
)

// Day holds the figures of the last 24 hours of one objective or key. The four
// counts add up to 1440.
type Day struct {
	Good, Bad, Idle, Unknown int32
	// FirstBad and LastBad are minutes since 1970. They are zero without a bad
	// minute.
	FirstBad, LastBad int64
	// Hour and SixHours are the judged minutes of the last hour and six hours.
	Hour, SixHours BurnMinutes
}

// BurnMinutes are the judged minutes of a part of the day.
type BurnMinutes struct{ Good, Bad int32 }

// Minutes are the figures as the API has them, with the error budget of the
// objective.
func (d Day) Minutes(o Objective) v1alpha1.DayMinutes {
	judged := d.Good + d.Bad
	minutes := v1alpha1.DayMinutes{
		GoodMinutes: d.Good, BadMinutes: d.Bad, IdleMinutes: d.Idle, UnknownMinutes: d.Unknown,
		JudgedMinutes:     judged,
		GoodRatio:         ratio(int64(d.Bad), int64(judged)),
		BadMinutesAllowed: o.badMinutesAllowed(),
		BadMinutesLeft:    o.badMinutesAllowed() - d.Bad,
		BurnRates: []v1alpha1.BurnRate{
			burnRate(d.Hour, burnHour, o),
			burnRate(d.SixHours, burnSixHours, o),
		},
	}
	if d.Bad > 0 {
		minutes.FirstBadTime, minutes.LastBadTime = timeOf(d.FirstBad), timeOf(d.LastBad)
	}
	return minutes
}

func burnRate(m BurnMinutes, window int32, o Objective) v1alpha1.BurnRate {
	judged := m.Good + m.Bad
	rate := v1alpha1.BurnRate{WindowMinutes: window, BadMinutes: m.Bad, JudgedMinutes: judged}
	// (bad/judged) / ((100-good percent)/100), in millionths, rounded up: what was
	// spent never looks less than it is.
	if per := int64(judged) * int64(100-o.DayGoodPercent); per > 0 {
		rate.Rate = decimal((int64(m.Bad)*100*1_000_000 + per - 1) / per)
	}
	return rate
}

// decimal of some millionths, which are not negative.
func decimal(millionths int64) string {
	whole := fmt.Sprintf("%d.%06d", millionths/1_000_000, millionths%1_000_000)
	return strings.TrimSuffix(strings.TrimRight(whole, "0"), ".")
}

func timeOf(minute int64) *metav1.Time {
	t := metav1.NewTime(time.Unix(minute*60, 0).UTC())
	return &t
}

// minuteOf is the number of whole minutes since 1970, rounded down.
func minuteOf(t time.Time) int64 {
	seconds := t.Unix()
	if seconds < 0 {
		seconds -= 59
	}
	return seconds / 60
}
