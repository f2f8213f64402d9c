// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// every makes samples that are apart, the first at began.
func every(apart time.Duration, seats ...float64) []Sample {
	samples := make([]Sample, len(seats))
	for i, s := range seats {
		samples[i] = Sample{began.Add(time.Duration(i) * apart), s}
	}
	return samples
}

func TestReasons(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name    string
		samples []Sample
		limit   float64
		want    Reason
	}{
		{"none", nil, 100, TooFewSamples},
		{"no numbers", every(15*time.Second, nan, inf, nan, -inf, nan), 100, TooFewSamples},
		{"beyond floating point", every(15*time.Second, 0, 0, 0, 0, 1e300), math.MaxFloat64, PoorFit},
		{"beyond floating point, straight", every(15*time.Second, 1e200, 2e200, 3e200, 4e200, 5e200), 6e200, PoorFit},
		{"negative", every(15*time.Second, -5, -4, -3, -2, -1, 0), 5, TooFewSamples},
		{"four", every(time.Minute, 10, 20, 30, 40), 100, TooFewSamples},
		{"five", every(15*time.Second, 10, 20, 30, 40, 50), 100, ""},
		{"the same five times", every(2*time.Second, 10, 10, 10, 10, 10), 100, TooFewSamples},
		{"five within a minute", every(11*time.Second, 10, 20, 30, 40, 50), 100, TooFewSamples},
		{"at the limit", every(15*time.Second, 10, 20, 30, 40, 100), 100, Reached},
		{"at the limit from the first sample on", every(time.Minute, 100), 100, Reached},
		{"no limit at all", every(15*time.Second, 0, 0, 0, 0, 0), 0, Reached},
		{"idle", every(15*time.Second, 0, 0, 0, 0, 0), 100, NotRising},
		{"flat", every(15*time.Second, 50, 52, 48, 52, 50), 100, NotRising},
		{"falling", every(15*time.Second, 50, 40, 30, 20, 10), 100, NotRising},
		{"noise", every(15*time.Second, 50, 40, 60, 30, 60, 50, 60, 40, 60), 100, PoorFit},
		{"a step", every(15*time.Second, 10, 10, 10, 10, 10, 50, 50, 50, 50, 50), 100, PoorFit},
		{"a step, scraped once a minute", every(time.Minute, 10, 10, 10, 50, 50), 100, PoorFit},
		{"slow", every(15*time.Second, 10, 11, 12, 13, 14), 100, BeyondHorizon},
		{"a rise", every(15*time.Second, 10, 21, 29, 40, 50), 100, ""},
	} {
		e, why := Of(c.samples, c.limit)
		if why != c.want {
			t.Errorf("%s: got %q, want %q", c.name, why, c.want)
		}
		if why != "" && e != (Exhaustion{}) {
			t.Errorf("%s: there is a forecast beside a reason: %+v", c.name, e)
		}
	}
}

// Without noise the time is that of the line, and the band is a period at either side.
func TestExactLine(t *testing.T) {
	got, why := Of(every(15*time.Second, 10, 15, 20, 25, 30), 50)
	newest := began.Add(time.Minute)
	want := Exhaustion{
		Early: newest.Add(50 * time.Second), Likely: newest.Add(time.Minute), Late: newest.Add(70 * time.Second),
		PerMinute: 20, Seats: 30, Samples: 5, Span: time.Minute,
	}
	near := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Millisecond })
	nearly := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	if diff := cmp.Diff(want, got, near, nearly); diff != "" || why != "" {
		t.Errorf("%s -want +got:\n%s", why, diff)
	}
}

// A figure that is read twice is no more evidence than one.
func TestRepeatedFigures(t *testing.T) {
	once := every(10*time.Second, 10, 13, 19, 22, 27, 33, 36, 41)
	var twice []Sample
	for _, s := range once {
		twice = append(twice, s, Sample{s.Time.Add(5 * time.Second), s.Seats})
	}
	want, _ := Of(once, 80)
	if got, why := Of(twice, 80); got != want || why != "" {
		t.Errorf("got %+v %s, want %+v", got, why, want)
	}
}

// noisy is a rise at random times; every second world has one that is not clear.
func noisy(random *rand.Rand) (samples []Sample, limit float64) {
	at, noise := began, 1+9*float64(random.IntN(2))
	for i := range 5 + random.IntN(30) {
		at = at.Add(time.Duration(5+random.IntN(40)) * time.Second)
		samples = append(samples, Sample{at, max(0, 20+2*float64(i)+noise*random.NormFloat64())})
	}
	return samples, 40 + 100*random.Float64()
}

func TestProperties(t *testing.T) {
	made := 0
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		samples, limit := noisy(random)
		e, why := Of(samples, limit)
		if why == "" {
			made++
			newest := samples[len(samples)-1].Time
			if e.Early.Before(newest) || e.Likely.Before(e.Early) || !e.Late.IsZero() && e.Late.Before(e.Likely) {
				t.Fatalf("seed %d: out of order: %s, then %+v", seed, newest, e)
			}
			if !(e.PerMinute > 0) || e.Seats != samples[len(samples)-1].Seats || e.Likely.Sub(newest) > horizonSpans*e.Span {
				t.Fatalf("seed %d: %+v", seed, e)
			}
		}

		shuffled := append([]Sample(nil), samples...)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got, other := Of(shuffled, limit); got != e || other != why {
			t.Fatalf("seed %d: the order matters: %+v %s, want %+v %s", seed, got, other, e, why)
		}

		later := append([]Sample(nil), samples...)
		for i := range later {
			later[i].Time = later[i].Time.Add(-300 * 24 * time.Hour)
			later[i].Seats *= 4 // exact in binary
		}
		got, other := Of(later, 4*limit)
		want := e
		if why == "" {
			want.Early, want.Likely = e.Early.Add(-300*24*time.Hour), e.Likely.Add(-300*24*time.Hour)
			if !e.Late.IsZero() {
				want.Late = e.Late.Add(-300 * 24 * time.Hour)
			}
			want.PerMinute, want.Seats = 4*e.PerMinute, 4*e.Seats
		}
		if got != want || other != why {
			t.Fatalf("seed %d: moved and scaled: %+v %s, want %+v %s", seed, got, other, want, why)
		}

		if more, other := Of(samples, limit+5); why == "" && other == "" {
			if more.Early.Before(e.Early) || more.Likely.Before(e.Likely) ||
				!more.Late.IsZero() && (e.Late.IsZero() || more.Late.Before(e.Late)) {
				t.Fatalf("seed %d: more seats are gone sooner: %+v, then %+v", seed, e, more)
			}
		}
	}
	if made < 500 {
		t.Errorf("%d forecasts: the properties say little", made)
	}
}
