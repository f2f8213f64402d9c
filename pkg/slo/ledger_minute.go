// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Minute is what one evaluation says of the minute it is made in: what the Ledger
// records of one objective.
type Minute struct {
	// Objective by its name.
	Objective string
	// Verdict of the objective over all keys.
	Verdict v1alpha1.Verdict
	// Keys that count and of which something is known, in any order. An objective
	// whose indicator is not split has none: its verdict is that of its only key.
	Keys []KeyVerdict
	// Events of a Ratio in the window that ends with the minute, over all keys that
	// count; nil where they are not known in full, and for other types.
	Events *Events
}

// KeyVerdict is the verdict on one key.
type KeyVerdict struct {
	Key     Key
	Verdict v1alpha1.Verdict
}

// Key is one value of the dimensions that split an indicator; those that do not
// split it are empty.
type Key struct {
	Group, Resource, Subresource, Verb string
}

// Compare orders keys by name.
func (k Key) Compare(other Key) int {
	return cmp.Or(
		cmp.Compare(k.Group, other.Group),
		cmp.Compare(k.Resource, other.Resource),
		cmp.Compare(k.Subresource, other.Subresource),
		cmp.Compare(k.Verb, other.Verb),
	)
}

// keyVerdicts are the verdicts on the keys that count and of which something is
// known; an objective whose indicator is not split has none. The ledger has its rows
// in the same order.
func (a Assessment) keyVerdicts() []KeyVerdict {
	if len(a.objective.Key) == 0 {
		return nil
	}
	verdicts := make([]KeyVerdict, 0, len(a.tallies))
	for _, t := range a.tallies {
		if t.excluded != "" {
			continue
		}
		if verdict, _ := a.verdict(t); verdict != v1alpha1.VerdictUnknown {
			verdicts = append(verdicts, KeyVerdict{Key{t.group, t.resource, t.subresource, t.verb}, verdict})
		}
	}
	return verdicts
}
