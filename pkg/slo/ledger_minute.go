// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"slices"

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

// keyVerdicts are the verdicts on the keys, by the rules of judge: with instances
// missing a violation is taken as it was seen, and nothing else is known. Keys of
// which nothing is known are left out.
func keyVerdicts(o Objective, c coverage, k *keys) []KeyVerdict {
	if len(c.complete) == 0 || len(o.Key) == 0 {
		return nil
	}
	verdicts := make([]KeyVerdict, 0, k.counts.Total)
	add := func(became outcome, verdict v1alpha1.Verdict) {
		for _, t := range k.by[became] {
			verdicts = append(verdicts, KeyVerdict{Key{t.group, t.resource, t.subresource, t.verb}, verdict})
		}
	}
	add(violated, v1alpha1.VerdictViolated)
	if c.isFull() || o.EvenShares {
		add(kept, v1alpha1.VerdictMet)
	}
	if c.isFull() {
		add(idle, v1alpha1.VerdictNoTraffic)
	}
	// The ledger has its rows in this order.
	slices.SortFunc(verdicts, func(a, b KeyVerdict) int { return a.Key.Compare(b.Key) })
	return verdicts
}
