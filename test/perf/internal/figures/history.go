// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"example.io/slo-apiserver/test/perf/internal/gen"
	"example.io/slo-apiserver/test/perf/internal/measure"
	"example.io/slo-apiserver/test/perf/internal/peer"
	"example.io/slo-apiserver/test/perf/internal/subject"
)

// Kept is what ten minutes of a cluster take.
type Kept struct {
	Scrapes, Instances int
	// Exposed are the series of all instances, each bucket being one; Needed are
	// those in families that the product reads.
	Exposed, Needed int
	// Ours, Theirs and Filtered are bytes of the heap.
	Ours, Theirs, Filtered uint64
}

// Heap fills all contenders with ten minutes, one after the other, each alone.
func Heap(ctx context.Context, combinations, instances int) (Kept, error) {
	k := Kept{Scrapes: int(History/Interval) + 1, Instances: instances}
	grown := func(start func(names []string) (c contender, end func(), err error)) (uint64, error) {
		before := measure.Live()
		feed, err := newGenerated(Protobuf, combinations, instances)
		if err != nil {
			return 0, err
		}
		c, end, err := start(feed.names)
		if err != nil {
			return 0, err
		}
		_, err = fill(ctx, feed, Protobuf, k.Scrapes, c)
		if err == nil {
			k.count(feed.processes)
			*feed = generated{} // its part of the heap is not of this measurement
			if o, is := c.(ours); is {
				o.Scrape(ctx, nil, "", begin) // nobody answers: lets go of the last bodies
			}
		}
		after := measure.Live()
		runtime.KeepAlive(c)
		end()
		return after - min(before, after), err
	}
	var err error
	if k.Ours, err = grown(func(names []string) (contender, func(), error) {
		o, err := newOurs(names)
		return o, func() {}, err
	}); err != nil {
		return k, err
	}
	for to, keep := range map[*uint64]func(string) bool{&k.Theirs: nil, &k.Filtered: neededSamples} {
		if *to, err = grown(func(names []string) (contender, func(), error) {
			t, err := newTheirs(names, keep)
			if err != nil {
				return nil, nil, err
			}
			return t, t.storage.Close, nil
		}); err != nil {
			return k, err
		}
	}
	return k, nil
}

func (k *Kept) count(processes []*gen.Process) {
	k.Exposed, k.Needed = 0, 0
	for _, p := range processes {
		stats := p.Stats(subject.Needed)
		k.Exposed += stats.Samples
		k.Needed += stats.NeededSamples
	}
}

// Evaluation is the cost of all reports once.
type Evaluation struct {
	Keys int64
	// Queries are the number of PromQL queries of the full set, and of the few that
	// suffice when quantiles are computed on this side.
	Queries, FewQueries int
	Ours, Theirs, Few   time.Duration
	ToTheirs, ToFew     float64
}

// Evaluate measures a reading and all its reports beside the equivalent queries.
func Evaluate(ctx context.Context, combinations, instances int, effort Effort) (Evaluation, error) {
	feed, err := newGenerated(Protobuf, combinations, instances)
	if err != nil {
		return Evaluation{}, err
	}
	o, err := newOurs(feed.names)
	if err != nil {
		return Evaluation{}, err
	}
	t, err := newTheirs(feed.names, neededSamples)
	if err != nil {
		return Evaluation{}, err
	}
	defer t.storage.Close()
	at, err := fill(ctx, feed, Protobuf, int(History/Interval)+1, o, t)
	if err != nil {
		return Evaluation{}, err
	}
	e, reports, err := newEvaluation(feed)
	if err != nil {
		return e, err
	}
	var mine, full, few, toFull, toFew []float64
	for range effort.Rounds {
		own, err := evaluateOurs(ctx, o, reports, at, &e.Keys)
		if err != nil {
			return e, err
		}
		var costs [2]measure.Cost
		for i, queries := range [][]string{peer.ReportQueries(Window), peer.FewQueries(Window)} {
			costs[i], err = measure.Of(func() error {
				results, err := t.storage.All(ctx, queries, at)
				if err == nil && results == 0 {
					err = fmt.Errorf("%d queries have no result", len(queries))
				}
				return err
			})
			if err != nil {
				return e, err
			}
		}
		mine = append(mine, float64(own))
		full, toFull = append(full, float64(costs[0].CPU)), append(toFull, float64(own)/float64(costs[0].CPU))
		few, toFew = append(few, float64(costs[1].CPU)), append(toFew, float64(own)/float64(costs[1].CPU))
	}
	e.Ours, e.Theirs, e.Few = time.Duration(measure.Median(mine)), time.Duration(measure.Median(full)), time.Duration(measure.Median(few))
	e.ToTheirs, e.ToFew = measure.Median(toFull), measure.Median(toFew)
	return e, nil
}

func newEvaluation(feed *generated) (Evaluation, *subject.Reports, error) {
	e := Evaluation{Queries: len(peer.ReportQueries(Window)), FewQueries: len(peer.FewQueries(Window))}
	reports, err := subject.NewReports(Window, feed.processes[0].Truths())
	return e, reports, err
}

// evaluateOurs often enough for the clock, and returns the time of once.
func evaluateOurs(ctx context.Context, o ours, reports *subject.Reports, at time.Time, keys *int64) (time.Duration, error) {
	const times = 5
	cost, err := measure.Of(func() error {
		for range times {
			reading, err := o.Read(ctx, at, Window)
			if err != nil {
				return err
			}
			if *keys, err = reports.Evaluate(reading); err != nil {
				return err
			}
		}
		return nil
	})
	return cost.Per(times).CPU, err
}
