// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"context"
	"time"

	"example.io/slo-apiserver/test/perf/internal/measure"
	"example.io/slo-apiserver/test/perf/internal/subject"
)

// Growth compares the cost of a needed series in a small and in a large cluster.
type Growth struct {
	Small, Large int
	// PerSeriesSmall and PerSeriesLarge are the costs of one scrape by needed
	// series, in nanoseconds of text and protobuf.
	PerSeriesSmall, PerSeriesLarge map[Format]float64
	// EvaluationSmall and EvaluationLarge are the costs of all reports by needed
	// series, in nanoseconds.
	EvaluationSmall, EvaluationLarge float64
}

// Grow measures ours alone, with one instance.
func Grow(ctx context.Context, small, large int, effort Effort) (Growth, error) {
	g := Growth{Small: small, Large: large, PerSeriesSmall: map[Format]float64{}, PerSeriesLarge: map[Format]float64{}}
	for _, format := range []Format{Protobuf, Text} {
		var sizes [2]sized
		for i, combinations := range []int{small, large} {
			var err error
			if sizes[i], err = newSized(ctx, format, combinations, effort); err != nil {
				return g, err
			}
		}
		for range effort.Rounds {
			for i := range sizes {
				if err := sizes[i].measure(ctx, effort.Scrapes); err != nil {
					return g, err
				}
			}
		}
		g.PerSeriesSmall[format] = measure.Median(sizes[0].scrapes)
		g.PerSeriesLarge[format] = measure.Median(sizes[1].scrapes)
		if format == Protobuf {
			g.EvaluationSmall = measure.Median(sizes[0].evaluations)
			g.EvaluationLarge = measure.Median(sizes[1].evaluations)
		}
	}
	return g, nil
}

// sized is a cluster of one size.
type sized struct {
	format               Format
	feed                 *generated
	ours                 ours
	reports              *subject.Reports
	needed               float64
	scrapes, evaluations []float64 // nanoseconds by needed series
}

func newSized(ctx context.Context, format Format, combinations int, effort Effort) (sized, error) {
	feed, err := newGenerated(format, combinations, 1)
	if err != nil {
		return sized{}, err
	}
	o, err := newOurs(feed.names)
	if err != nil {
		return sized{}, err
	}
	if _, err := fill(ctx, feed, format, effort.Warmup, o); err != nil {
		return sized{}, err
	}
	_, reports, err := newEvaluation(feed)
	if err != nil {
		return sized{}, err
	}
	needed := feed.processes[0].Stats(subject.Needed).NeededSamples
	return sized{format: format, feed: feed, ours: o, reports: reports, needed: float64(needed)}, nil
}

func (s *sized) measure(ctx context.Context, scrapes int) error {
	bodies, err := take(s.feed, scrapes)
	if err != nil {
		return err
	}
	costs, err := round(ctx, []contender{s.ours}, s.format, bodies, 0)
	if err != nil {
		return err
	}
	var keys int64
	var evaluation time.Duration
	if evaluation, err = evaluateOurs(ctx, s.ours, s.reports, bodies[len(bodies)-1].At, &keys); err != nil {
		return err
	}
	s.scrapes = append(s.scrapes, float64(costs[0].CPU)/s.needed)
	s.evaluations = append(s.evaluations, float64(evaluation)/s.needed)
	return nil
}
