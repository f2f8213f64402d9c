// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// maxSchemas bounds v1alpha1.APFHeadroomStatus.FlowSchemas.
const maxSchemas = 10

// bySchema are the signals that are split by flow schema; the second label of all of
// them is its name.
var bySchema = []string{executingBySchema, dispatched, rejected, waits, execution, width}

// flowSchemas says what the requests of each flow schema took of the level, the most
// first, and how many more there were.
func flowSchemas(rows []*row, total *v1alpha1.Seats) (uses []v1alpha1.FlowSchemaUse, omitted int64) {
	for _, name := range schemaNames(rows) {
		use := v1alpha1.FlowSchemaUse{Name: name}
		use.ExecutingSeats, use.PeakExecutingSeats = schemaSeats(rows, name)
		use.Dispatched = schemaRequests(rows, dispatched, name)
		use.Rejected = schemaRequests(rows, rejected, name)
		if !positive(use.PeakExecutingSeats) && !positive(use.ExecutingSeats) && !positive(use.Dispatched) && !positive(use.Rejected) {
			continue
		}
		if positive(total.ExecutingSeats) && use.ExecutingSeats != nil {
			use.ExecutingShare = ratio(float64(*use.ExecutingSeats) / float64(*total.ExecutingSeats))
		}
		waited := schemaHistogram(rows, waits, name)
		use.WaitP50Milliseconds, _ = waitQuantile(waited, 0.50)
		use.WaitP99Milliseconds, _ = waitQuantile(waited, 0.99)
		readWork(&use, schemaHistogram(rows, execution, name), schemaHistogram(rows, width, name))
		uses = append(uses, use)
	}
	slices.SortStableFunc(uses, byUse)
	listed := min(len(uses), maxSchemas)
	return uses[:listed], int64(len(uses) - listed)
}

// byUse orders by what was taken over time, then by what is taken now, then by what
// was turned away. Names are in order already.
func byUse(a, b v1alpha1.FlowSchemaUse) int {
	return cmp.Or(
		mostKnownFirst(a.EstimatedSeatSeconds, b.EstimatedSeatSeconds),
		mostKnownFirst(a.ExecutingSeats, b.ExecutingSeats),
		mostKnownFirst(a.PeakExecutingSeats, b.PeakExecutingSeats),
		mostKnownFirst(a.Rejected, b.Rejected),
		mostKnownFirst(a.Dispatched, b.Dispatched),
	)
}

// mostKnownFirst takes an unknown figure for none.
func mostKnownFirst(a, b *int64) int {
	return cmp.Compare(valueOf(b), valueOf(a))
}

func valueOf(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// readWork reads how long requests held their seats, and how many.
func readWork(use *v1alpha1.FlowSchemaUse, executed, wide *sources.Buckets) {
	seconds, known := mean(executed)
	if known {
		use.ExecutionMeanMilliseconds = new(milliseconds(seconds))
	}
	seats, alsoKnown := mean(wide)
	if alsoKnown {
		use.MeanWidthSeats = ratio(seats)
	}
	if known && alsoKnown {
		use.EstimatedSeatSeconds = new(int64(math.Round(executed.Sum * seats)))
	}
}

// mean of a histogram; not known without observations.
func mean(b *sources.Buckets) (v float64, known bool) {
	if b == nil || b.Count() <= 0 {
		return 0, false
	}
	v = b.Sum / b.Count()
	return v, v >= 0 && v <= maxWhole
}

// schemaNames are the flow schemas that the metrics of a level name, sorted.
func schemaNames(rows []*row) []string {
	var names []string
	for _, r := range rows {
		for _, signal := range bySchema {
			for _, s := range r.instance.series[signal][r.level] {
				names = append(names, s.Values[1])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// schemaSeats sums the newest and the highest seats taken by a flow schema; nil when
// an instance does not tell.
func schemaSeats(rows []*row, schema string) (last, highest *int64) {
	last, highest = new(int64(0)), new(int64(0))
	for _, r := range rows {
		series, known := r.instance.of(executingBySchema, r.level)
		if !known || !r.counted() {
			return nil, nil
		}
		for _, s := range series {
			if s.Values[1] != schema {
				continue
			}
			l, known := whole(s.Last)
			h, alsoKnown := whole(s.Max)
			if !known || !alsoKnown {
				return nil, nil
			}
			*last, *highest = *last+l, *highest+h
		}
	}
	return last, highest
}

// schemaRequests sums the increases of a flow schema; nil when an instance does not
// tell.
func schemaRequests(rows []*row, signal, schema string) *int64 {
	var sum int64
	for _, r := range rows {
		series, known := r.instance.of(signal, r.level)
		if !known {
			return nil
		}
		for _, s := range series {
			if s.Values[1] != schema {
				continue
			}
			n, known := count(s.Increase)
			if !known {
				return nil
			}
			sum += n
		}
	}
	return &sum
}

// schemaHistogram sums the histograms of a flow schema; nil when there are none, or
// an instance does not tell.
func schemaHistogram(rows []*row, signal, schema string) *sources.Buckets {
	var sum *sources.Buckets
	for _, r := range rows {
		series, known := r.instance.of(signal, r.level)
		if !known && (signal != waits || !r.waitsKnown) {
			return nil
		}
		for _, s := range series {
			if s.Values[1] != schema {
				continue
			}
			if !sound(s.Histogram) {
				return nil
			}
			sum = add(sum, s.Histogram)
		}
	}
	return sum
}
