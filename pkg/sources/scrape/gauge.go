// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"math"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// addGauges adds the last and the highest value of each label set, and the single
// ones where the signal asks for them. One that the newest answer does not have is
// left out, for it is not zero. Gauges that share the values of the labels are added
// answer by answer.
func (r *result) addGauges(m member) {
	newest := m.spans[len(m.spans)-1]
	metric, exposed := r.metricOf(newest)
	if !exposed {
		return
	}
	r.metrics[metric] = true
	highest := map[string]float64{} // by the values of the labels, over all processes of the member
	var own answers                 // of the newest process
	for i, s := range m.spans {
		if i < len(m.spans)-1 && !s.last().After(r.window.start()) {
			continue // it did not answer within the window
		}
		own = r.answers(s)
		for key, sums := range own.sums {
			if v, known := highestOf(sums); known {
				if before, known := highest[key]; known {
					v = higher(before, v)
				}
				highest[key] = v
			}
		}
	}
	added := map[string]bool{}
	r.each(metric, newest, func(v *view, series *series) {
		last := series.value(newest.process.offset + newest.to)
		if last.state != known {
			return
		}
		to, key := r.at(m.Name, v), v.key
		to.Last += last.number
		if added[key] {
			return
		}
		added[key] = true
		to.Max += highest[key]
		if r.signal.Samples { // which is read per instance: no other one adds to these
			to.Samples = own.samples(key, r.window.start())
		}
	})
}

// answers of a process: those within the window, or the last one where none is.
type answers struct {
	times []time.Time
	// sums of the gauges in each answer, by the values of the labels.
	sums map[string][]value
}

func (r *result) answers(s span) answers {
	metric, exposed := r.metricOf(s)
	if !exposed {
		return answers{}
	}
	since := min(lastNotAfter(s.process.times, r.window.start())+1, s.to)
	sums := map[string][]value{}
	r.each(metric, s, func(v *view, series *series) {
		sum := sums[v.key]
		if sum == nil {
			sum = make([]value, s.to-since+1)
			sums[v.key] = sum
		}
		at, scrape := series.lastPoint(s.process.offset+since), s.process.offset+since
		for i := range sum {
			for at+1 < len(series.points) && series.points[at+1].scrape <= scrape+i {
				at++
			}
			if at >= 0 && series.points[at].value.state == known {
				sum[i].state = known
				sum[i].number += series.points[at].value.number
			}
		}
	})
	return answers{times: s.process.times[since : s.to+1], sums: sums}
}

// samples of a label set after start, without what is no number.
func (a answers) samples(key string, start time.Time) []sources.Sample {
	samples := make([]sources.Sample, 0, len(a.times))
	for i, sum := range a.sums[key] {
		if sum.state == known && !math.IsNaN(sum.number) && !math.IsInf(sum.number, 0) && a.times[i].After(start) {
			samples = append(samples, sources.Sample{Time: a.times[i], Value: sum.number})
		}
	}
	return samples
}

// highestOf the sums that are known; false when none is.
func highestOf(sums []value) (highest float64, found bool) {
	for _, sum := range sums {
		if sum.state != known {
			continue
		}
		if found {
			sum.number = higher(highest, sum.number)
		}
		highest, found = sum.number, true
	}
	return highest, found
}

// higher of two values, NaN being lower than any.
func higher(a, b float64) float64 {
	if b > a || math.IsNaN(a) {
		return b
	}
	return a
}
