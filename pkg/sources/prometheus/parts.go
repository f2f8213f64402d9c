// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// part is what of a signal is read from one metric.
type part struct {
	metric   string
	matchers [][]string
}

// parts of a signal, in the order of its metrics.
func (p *plan) parts(signal sources.Signal, chosen *selection) []part {
	if !planned(signal) {
		return []part{{metric: signal.Metrics[0], matchers: chosen.matchers}}
	}
	assigned := p.assigned[signal.Name]
	var parts []part
	for _, metric := range signal.Metrics {
		if len(assigned[metric]) == 0 {
			continue
		}
		one := part{metric: metric, matchers: chosen.matchers}
		if len(assigned) > 1 {
			one.matchers = nil
			for _, matchers := range chosen.matchers {
				one.matchers = append(one.matchers, append(slices.Clone(matchers), oneOf("instance", assigned[metric])))
			}
		}
		parts = append(parts, one)
	}
	return parts
}
