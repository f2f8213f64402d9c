// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"math/rand/v2"
	"time"
)

var began = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// course is how the mean demand of a level goes, and how its requests are.
type course struct {
	// demand is the mean number of seats wanted at a time in seconds after the start.
	demand func(at float64) float64
	// execution is the mean execution time of a request, in seconds. Times are
	// exponential, or of heavy tail (log-normal, of a deviation of 1.5 in the logarithm).
	execution float64
	heavy     bool
	// wide is the share of requests that take ten seats.
	wide float64
	// bursts a minute, of a length of 5 s and a demand of half of the mean then.
	bursts float64
}

const (
	// resolution of demand, in seconds.
	resolution = 0.1
	// smoothing of apf_controller.go seatDemandSmoothingCoefficient.
	smoothing = 0.977
)

// smoothed plays a level from its start, without any limit (arrivals are Poisson,
// each finds a seat: M/G/infinity, with time), and returns the smoothed demand that a
// kube-apiserver sets at the end of each period.
func (c course) smoothed(random *rand.Rand, minutes int) []float64 {
	ticks := int(float64(minutes) * 60 / resolution)
	change := make([]float64, ticks+1)
	add := func(at, lasts, seats float64) {
		from := int(at / resolution)
		change[min(from, ticks)] += seats
		change[min(max(int((at+lasts)/resolution), from+1), ticks)] -= seats
	}
	width := 1 + 9*c.wide
	highest := 0.0
	for at := 0.0; at < float64(minutes)*60; at += 10 {
		highest = max(highest, c.demand(at)+1)
	}
	for at := 0.0; ; {
		// By thinning of a process at the highest rate.
		at += random.ExpFloat64() * c.execution * width / highest
		if at >= float64(minutes)*60 {
			break
		}
		if random.Float64()*highest > c.demand(at) {
			continue
		}
		lasts := c.execution * random.ExpFloat64()
		if c.heavy {
			lasts = c.execution * math.Exp(1.5*random.NormFloat64()-1.5*1.5/2)
		}
		seats := 1.0
		if random.Float64() < c.wide {
			seats = 10
		}
		add(at, lasts, seats)
	}
	for at := 0.0; c.bursts > 0; {
		at += random.ExpFloat64() * 60 / c.bursts
		if at >= float64(minutes)*60 {
			break
		}
		add(at, 5, math.Round(c.demand(at)/2))
	}
	return smooth(change[:ticks])
}

// smooth does what seatDemandStats.update does with the figures of the integrator.
func smooth(change []float64) []float64 {
	per := int(period.Seconds() / resolution)
	var result []float64
	var demand, last float64
	for ; len(change) >= per; change = change[per:] {
		var sum, squares float64
		for _, c := range change[:per] {
			demand += c
			sum += demand
			squares += demand * demand
		}
		mean := sum / float64(per)
		envelope := mean + math.Sqrt(max(0, squares/float64(per)-mean*mean))
		last = max(envelope, smoothing*last+(1-smoothing)*envelope)
		result = append(result, last)
	}
	return result
}

// scrapes of the smoothed demand over (at-window, at], all in seconds.
func scrapes(smoothed []float64, at, window, interval, phase float64) []Sample {
	var samples []Sample
	for t := phase; t <= at; t += interval {
		set := int(t/period.Seconds()) - 1
		if t <= at-window || set < 0 {
			continue
		}
		samples = append(samples, Sample{seconds(t), smoothed[set]})
	}
	return samples
}

// reached returns when the smoothed demand first is at the limit, in seconds; infinite
// when it never is.
func reached(smoothed []float64, limit float64) float64 {
	for i, seats := range smoothed {
		if seats >= limit {
			return float64(i+1) * period.Seconds()
		}
	}
	return math.Inf(1)
}
