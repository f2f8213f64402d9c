// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// part is what of a signal is read from one carrier.
type part struct {
	carrier
	matchers [][]string
}

// parts of a signal, in the order of its carriers.
func (p *plan) parts(signal sources.Signal, chosen *selection) []part {
	if !planned(signal) {
		return []part{{carrier{metric: signal.Metrics[0]}, chosen.matchers}}
	}
	assigned := p.assigned[signal.Name]
	var parts []part
	for _, c := range carriers(signal) {
		if len(assigned[c]) == 0 {
			continue
		}
		one := part{c, chosen.matchers}
		if len(assigned) > 1 {
			one.matchers = nil
			for _, matchers := range chosen.matchers {
				one.matchers = append(one.matchers, append(slices.Clone(matchers), oneOf("instance", assigned[c])))
			}
		}
		parts = append(parts, one)
	}
	return parts
}
