// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"math"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

func gauge(sums []Sample, scrapes []Scrape, start time.Time) (last, highest float64) {
	highest = math.NaN()
	for i, sum := range sums {
		if sum.Series != "" && (scrapes[i].Time.After(start) || i == len(sums)-1) {
			last = sum.Value
			if math.IsNaN(highest) || last > highest {
				highest = last
			}
		}
	}
	return last, highest
}

// samples are the sums that are numbers, of the process that answered last.
func samples(sums []Sample, scrapes []Scrape, start time.Time) (all []sources.Sample) {
	for i, sum := range sums {
		newest := startOf(scrapes[i]) == startOf(scrapes[len(scrapes)-1])
		if sum.Series != "" && scrapes[i].Time.After(start) && newest && sum.Value-sum.Value == 0 {
			all = append(all, sources.Sample{Time: scrapes[i].Time, Value: sum.Value})
		}
	}
	return all
}
