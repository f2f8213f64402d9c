// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Sample is a figure of demand.
type Sample struct {
	// Time at which it was read.
	Time time.Time
	// Seats of demand, smoothed by the kube-apiserver.
	Seats float64
}

// Exhaustion is when demand reaches a limit if it goes on rising as it did.
type Exhaustion struct {
	// Early, Likely and Late are in this order, and none is before the newest sample.
	// Late is zero when it is beyond the horizon.
	Early, Likely, Late time.Time
	// PerMinute is the rise in seats per minute, more than zero.
	PerMinute float64
	// Seats is the demand at the newest sample, as it was measured.
	Seats float64
	// Samples is the number of figures that the forecast is from, those that were read
	// twice counted once.
	Samples int
	// Span is the time between the oldest and the newest of them.
	Span time.Duration
}

// Reason says why there is no forecast.
type Reason string

const (
	// Reached says that the newest sample is at the limit or over it.
	Reached Reason = "Reached"
	// TooFewSamples says that there are fewer than five figures, or that they span
	// less than a minute.
	TooFewSamples Reason = "TooFewSamples"
	// NotRising says that demand is flat or falls.
	NotRising Reason = "NotRising"
	// PoorFit says that the figures are too far from a line, for so few of them, to
	// tell that demand rises.
	PoorFit Reason = "PoorFit"
	// BeyondHorizon says that the likely time is too far ahead.
	BeyondHorizon Reason = "BeyondHorizon"
)

const (
	// period in which a kube-apiserver makes one figure (k8s.io/apiserver v0.37.2
	// pkg/util/flowcontrol/apf_controller.go borrowingAdjustmentPeriod).
	period = 10 * time.Second
	// leastSamples and leastSpan that a line is fitted to: what a scrape each minute has
	// in the default window of five minutes, and what one request can not fill.
	leastSamples = 5
	leastSpan    = time.Minute
	// horizonSpans is how far ahead a forecast may be, in spans of the samples: that a
	// rise goes on is an assumption, which what was seen supports for so long only. The
	// alerts on file systems of node-exporter's mixin look as far (24 h from 6 h).
	horizonSpans = 4
	// oneSide is the probability of each of Early and Late on its own side, and one less
	// the risk of taking chance for a rise. By theory 95% are then between the two. The
	// theory is of normal residuals, those here are those of a maximum that decays, and
	// only lines that happen to look like one are used: simulations of steady rises
	// have 79% to 97% (TestCalibration).
	oneSide = 0.975
)

// Of tells when demand reaches the limit, in seats, or why that is not told; the
// order of the samples does not matter. Samples that are no number of seats are left out.
func Of(samples []Sample, limit float64) (Exhaustion, Reason) {
	samples = figures(samples)
	if len(samples) == 0 {
		return Exhaustion{}, TooFewSamples
	}
	oldest, newest := samples[0], samples[len(samples)-1]
	span := newest.Time.Sub(oldest.Time)
	switch {
	case newest.Seats >= limit:
		return Exhaustion{}, Reached
	case len(samples) < leastSamples || span < leastSpan:
		return Exhaustion{}, TooFewSamples
	}
	points := make([]point, len(samples))
	for i, s := range samples {
		points[i] = point{at: s.Time.Sub(newest.Time).Seconds(), seats: s.Seats}
	}
	l := fit(points)
	// Comparisons are such that a sum over the end of floating point is no forecast.
	if !(l.slope > 0) {
		return Exhaustion{}, NotRising
	}
	first, likely, last, significant := l.passage(limit, studentQuantile(oneSide, l.degrees()))
	horizon := horizonSpans * span.Seconds()
	switch {
	case !significant:
		return Exhaustion{}, PoorFit
	case !(likely <= horizon):
		return Exhaustion{}, BeyondHorizon
	}
	// A figure is up to a period old when it is read, and the next may be a period away.
	first, last = first-period.Seconds(), last+period.Seconds()
	after := func(seconds float64) time.Time {
		return newest.Time.Add(time.Duration(max(0, seconds) * float64(time.Second)))
	}
	e := Exhaustion{
		Early: after(first), Likely: after(likely), PerMinute: l.slope * 60,
		Seats: newest.Seats, Samples: len(samples), Span: span,
	}
	if last <= horizon {
		e.Late = after(last)
	}
	return e, ""
}

// figures returns the samples in the order of their times, those that show the same
// figure again left out: the same value less than a period later.
func figures(samples []Sample) []Sample {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b Sample) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Seats, b.Seats))
	})
	var kept []Sample
	for _, s := range sorted {
		if !(s.Seats >= 0) || math.IsInf(s.Seats, 1) {
			continue
		}
		if n := len(kept); n > 0 {
			last := kept[n-1]
			if last.Time.Equal(s.Time) || last.Seats == s.Seats && s.Time.Sub(last.Time) < period {
				continue
			}
		}
		kept = append(kept, s)
	}
	return kept
}
