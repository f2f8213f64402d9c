// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// scheme is how a level is looked at, in seconds.
type scheme struct{ interval, window float64 }

var schemes = []scheme{{15, 300}, {60, 300}, {5, 300}, {15, 600}}

// calibration is a course that is played many times, and what is asked of forecasts.
type calibration struct {
	name string
	course
	limit   float64
	minutes int
	// from is the second from which on it is looked at.
	from float64
	// within is the least share of forecasts in whose band the limit is reached.
	within float64
	// alarms is the highest share of looks with a forecast, of levels that never get
	// to the limit.
	alarms float64
}

func constant(seats float64) func(float64) float64 {
	return func(float64) float64 { return seats }
}

func ramp(from, perMinute float64) func(float64) float64 {
	return func(at float64) float64 { return from + perMinute*at/60 }
}

// calibrations. The bounds leave some room for another seed; the figures are in
// docs/decisions/0013-exhaustion-by-a-straight-line.md.
var calibrations = []calibration{
	{name: "ramp, 2 seats/min", course: course{demand: ramp(20, 2), execution: 1}, limit: 100, minutes: 60, within: 0.8},
	{name: "ramp, 5 seats/min", course: course{demand: ramp(20, 5), execution: 1}, limit: 150, minutes: 40, within: 0.8},
	{name: "ramp, 20 seats/min", course: course{demand: ramp(20, 20), execution: 1}, limit: 500, minutes: 30, within: 0.8},
	{name: "ramp, requests of heavy tail", course: course{demand: ramp(20, 5), execution: 1, heavy: true}, limit: 150, minutes: 40, within: 0.8},
	{name: "ramp, bursts", course: course{demand: ramp(20, 5), execution: 1, bursts: 1}, limit: 180, minutes: 50, within: 0.7},
	{name: "ramp, 10% wide requests", course: course{demand: ramp(20, 5), execution: 1, wide: 0.1}, limit: 150, minutes: 40, within: 0.7},
	{name: "ramp, requests of 20s", course: course{demand: ramp(20, 2), execution: 20}, limit: 100, minutes: 60, within: 0.7},
	{name: "exponential, twice in 10min", course: course{demand: doubling, execution: 1}, limit: 200, minutes: 45, within: 0.2},
	{name: "flat, far", course: course{demand: constant(50), execution: 1}, limit: 100, minutes: 40, alarms: 0.01},
	{name: "flat, near", course: course{demand: constant(75), execution: 1}, limit: 100, minutes: 40, alarms: 0.03},
	{name: "flat, requests of 20s", course: course{demand: constant(65), execution: 20}, limit: 100, minutes: 40, alarms: 0.05},
	{name: "flat, bursts", course: course{demand: constant(40), execution: 1, bursts: 0.5}, limit: 100, minutes: 40, alarms: 0.03},
	{name: "flat, 10% wide requests", course: course{demand: constant(50), execution: 1, wide: 0.1}, limit: 120, minutes: 40, alarms: 0.03},
	{name: "step from 20 to 60", course: course{demand: step, execution: 1}, limit: 100, minutes: 40, alarms: 0.05},
	{name: "falling", course: course{demand: falling, execution: 1}, limit: 100, minutes: 40, alarms: 0.01},
	{name: "ramp, 150s after its end", course: course{demand: ended, execution: 1}, limit: 150, minutes: 40, from: 720 + 150, alarms: 0.08},
}

func doubling(at float64) float64 { return 20 * math.Exp2(at/600) }

func falling(at float64) float64 { return max(5, 80-at/30) }

func ended(at float64) float64 { return ramp(20, 5)(min(at, 720)) }

func step(at float64) float64 {
	if at < 1200 {
		return 20
	}
	return 60
}

// tally of looks at the runs of a calibration.
type tally struct{ looks, forecasts, within, before, after, never int }

// look at a run again and again, until it is at the limit or over.
func (c calibration) look(random *rand.Rand, s scheme, smoothed []float64, t *tally) {
	end := reached(smoothed, c.limit)
	phase := random.Float64() * s.interval
	// 47 s is no multiple of an interval; what a kube-apiserver shows of its first
	// minute is no demand yet.
	const apart, warm = 47, 60
	for at := max(c.from, s.window+warm) + random.Float64()*apart; at < min(end, float64(c.minutes)*60); at += apart {
		t.looks++
		e, why := Of(scrapes(smoothed, at, s.window, s.interval, phase), c.limit)
		if why != "" {
			continue
		}
		t.forecasts++
		switch {
		case math.IsInf(end, 1):
			t.never++
		case seconds(end).Before(e.Early):
			t.before++
		case !e.Late.IsZero() && seconds(end).After(e.Late):
			t.after++
		default:
			t.within++
		}
	}
}

func TestCalibration(t *testing.T) {
	runs, leeway := 30, 0.0
	if testing.Short() || raced {
		runs, leeway = 5, 0.1 // fewer runs leave more to chance
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\ncourse\tscrapes\tlooks\tforecasts\tin band\tbefore\tafter\tnever\t\n")
	for i, c := range calibrations {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		tallies := make([]tally, len(schemes))
		for range runs {
			smoothed := c.smoothed(random, c.minutes)
			for j, s := range schemes {
				c.look(random, s, smoothed, &tallies[j])
			}
		}
		for j, s := range schemes {
			n := tallies[j]
			scrapes := fmt.Sprintf("%gs in %gm", s.interval, s.window/60)
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t\n", c.name, scrapes, n.looks, n.forecasts,
				percent(n.within, n.forecasts-n.never), percent(n.before, n.forecasts-n.never),
				percent(n.after, n.forecasts-n.never), percent(n.never, n.looks))
			c.check(t, scrapes, n, leeway)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Log(table.String())
}

func (c calibration) check(t *testing.T, scrapes string, n tally, leeway float64) {
	t.Helper()
	if c.within == 0 {
		if float64(n.never) > (c.alarms+leeway)*float64(n.looks) {
			t.Errorf("%s, %s: %d of %d looks say that the limit is reached, which it never is: more than %g", c.name, scrapes, n.never, n.looks, c.alarms)
		}
		return
	}
	if n.forecasts*50 < n.looks {
		t.Errorf("%s, %s: %d forecasts in %d looks: that is no test", c.name, scrapes, n.forecasts, n.looks)
	}
	if float64(n.within) < (c.within-leeway)*float64(n.forecasts) {
		t.Errorf("%s, %s: %d of %d forecasts have the truth in their band: less than %g", c.name, scrapes, n.within, n.forecasts, c.within)
	}
}

// percent rounds to a tenth; "-" of nothing.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}

func seconds(at float64) time.Time { return began.Add(time.Duration(at * float64(time.Second))) }
