// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"example.io/slo-apiserver/test/perf/internal/measure"
)

// Effort is how long to measure.
type Effort struct {
	// Warmup scrapes before the first measured one.
	Warmup int
	// Rounds, in each of which every contender takes the same Scrapes. The ratios
	// are taken within a round; the figures are medians over the rounds.
	Rounds, Scrapes int
}

// Full fills the history before it measures, so that each scrape also drops an old
// one. Short shows that it works.
var (
	Full  = Effort{Warmup: int((History+2*Interval)/Interval) + 2, Rounds: 9, Scrapes: 4}
	Short = Effort{Warmup: 3, Rounds: 3, Scrapes: 2}
)

// Scrape is the cost of one scrape of one instance.
type Scrape struct {
	Format    Format
	BodyBytes int
	// Ours, Theirs, Filtered and Memchr are medians. Filtered is the peer with
	// metric_relabel_configs that drop what the product does not read either.
	Ours, Theirs, Filtered, Memchr time.Duration
	// ToTheirs, ToFiltered and ToMemchr are medians of the ratio of Ours to them.
	ToTheirs, ToFiltered, ToMemchr float64
	// Allocations of ours.
	Allocations, AllocatedBytes float64
}

// ParseAndStore measures scrapes of all contenders.
func ParseAndStore(ctx context.Context, feed Feed, format Format, effort Effort) (Scrape, error) {
	o, err := newOurs(feed.Instances())
	if err != nil {
		return Scrape{}, err
	}
	all, err := newTheirs(feed.Instances(), nil)
	if err != nil {
		return Scrape{}, err
	}
	defer all.storage.Close()
	filtered, err := newTheirs(feed.Instances(), neededSamples)
	if err != nil {
		return Scrape{}, err
	}
	defer filtered.storage.Close()
	lines := 0
	contenders := []contender{o, all, filtered, memchr{&lines}}
	if format == Protobuf {
		contenders = contenders[:3]
	}
	if _, err := fill(ctx, feed, format, effort.Warmup, contenders...); err != nil {
		return Scrape{}, err
	}
	var rounds [][]measure.Cost
	var last Bodies
	for n := range effort.Rounds {
		bodies, err := take(feed, effort.Scrapes)
		if err != nil {
			return Scrape{}, err
		}
		costs, err := round(ctx, contenders, format, bodies, n)
		if err != nil {
			return Scrape{}, err
		}
		rounds, last = append(rounds, costs), bodies[len(bodies)-1]
	}
	if err := o.Check(ctx, last.At, Window); err != nil {
		return Scrape{}, fmt.Errorf("ours, after %s bodies: %w", format, err)
	}
	runtime.KeepAlive(contenders)
	s := summary(rounds)
	s.Format, s.BodyBytes = format, last.bytes()/len(last.Answers)
	return s, nil
}

func take(feed Feed, n int) ([]Bodies, error) {
	var bodies []Bodies
	for range n {
		b, err := feed.Next()
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, b)
	}
	return bodies, nil
}

// round lets each contender take the bodies, another one first each time. The
// costs are per scrape of one instance.
func round(ctx context.Context, contenders []contender, format Format, bodies []Bodies, n int) ([]measure.Cost, error) {
	costs := make([]measure.Cost, len(contenders))
	for k := range contenders {
		i := (k + n) % len(contenders)
		cost, err := measure.Of(func() error {
			for _, b := range bodies {
				if err := contenders[i].scrape(ctx, format, b); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		costs[i] = cost.Per(len(bodies) * len(bodies[0].Answers))
	}
	return costs, nil
}

func summary(rounds [][]measure.Cost) Scrape {
	of := func(f func(costs []measure.Cost) float64) float64 {
		values := make([]float64, 0, len(rounds))
		for _, costs := range rounds {
			values = append(values, f(costs))
		}
		return measure.Median(values)
	}
	cpu := func(i int) time.Duration {
		return time.Duration(of(func(c []measure.Cost) float64 { return float64(c[i].CPU) }))
	}
	ratio := func(i int) float64 {
		return of(func(c []measure.Cost) float64 { return float64(c[0].CPU) / float64(c[i].CPU) })
	}
	s := Scrape{
		Ours: cpu(0), Theirs: cpu(1), Filtered: cpu(2), ToTheirs: ratio(1), ToFiltered: ratio(2),
		Allocations:    of(func(c []measure.Cost) float64 { return float64(c[0].Allocations) }),
		AllocatedBytes: of(func(c []measure.Cost) float64 { return float64(c[0].Bytes) }),
	}
	if len(rounds[0]) > 3 {
		s.Memchr, s.ToMemchr = cpu(3), ratio(3)
	}
	return s
}
