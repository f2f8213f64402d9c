// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// key is one value of the dimensions that split an indicator; those that do not
// split it are empty.
type key struct {
	group, resource, subresource, verb string
}

// compare orders keys by name.
func (k key) compare(other key) int {
	return cmp.Or(
		cmp.Compare(k.group, other.group),
		cmp.Compare(k.resource, other.resource),
		cmp.Compare(k.subresource, other.subresource),
		cmp.Compare(k.verb, other.verb),
	)
}

// String names the key as kubectl would: "PATCH deployments.apps/scale".
func (k key) String() string {
	name := k.resource
	if k.group != "" {
		name += "." + k.group
	}
	if k.subresource != "" {
		name += "/" + k.subresource
	}
	if k.verb != "" {
		name = k.verb + " " + name
	}
	return name
}

// tally sums the events of one key.
type tally struct {
	key
	standing

	// count is the number of events. Of these, least were within the threshold
	// for sure, and not more than most.
	count, least, most float64
	// within is the number of events within the threshold as it is shown: between
	// least and most. It is interpolated in native histograms, otherwise least.
	within       float64
	interpolated bool
	// unplaced events are on either side of the threshold, and nothing tells how many on
	// which: the bucket there was dropped, or a label.
	unplaced float64
	// dryRuns is how many of the events at most may have been dry runs, which are not
	// to count.
	dryRuns float64
	// leftOut is the reason for which any of the events may be such that are not to
	// count, where nothing tells how many; otherwise "".
	leftOut string
	// became is the outcome, once assessed.
	became outcome
	// overhead is what callers waited beyond the indicator; nil where that is not looked at.
	overhead *overhead
	// stray: the total latency has requests, and the indicator has none.
	stray bool
	// histogram of the events, in the buckets that all series of the key have; nil for
	// a Ratio.
	histogram *sources.Buckets
	// unnamed: some of the events have no verb; see Objective.isUnnamed.
	unnamed bool
	// unreadable: a series of the key is no usable histogram, so that nothing
	// above is known for sure.
	unreadable bool
}

// exact says that the number of slow events is known, or interpolated.
func (t *tally) exact() bool { return !t.unreadable && whole(t.unplaced, t.count) == 0 }

// estimate of the events that were within the threshold; without one, those that were for
// sure.
func (t *tally) estimate() float64 {
	if !t.exact() {
		return t.least
	}
	return max(t.least, min(t.within, t.most))
}

// add another series of the key. Series may have different buckets: each is
// bounded by its own, before the buckets they do not share are dropped.
func (t *tally) add(b *sources.Buckets, threshold float64) {
	if !usable(b) {
		t.unreadable = true
		return
	}
	b = b.EnsureMonotonic()
	least, most := within(b, threshold)
	t.count += b.Count()
	t.least += least
	t.most += most
	t.within += least
	if b.Native && least < most {
		t.within += b.Interpolated(threshold) - least
		t.interpolated = true
	} else {
		t.unplaced += most - least
	}
	if t.histogram == nil {
		t.histogram = b
	} else {
		t.histogram = t.histogram.Add(b)
	}
}

// collect sums the series of the objective by key. The tallies are sorted by key;
// excluded ones are among them.
func collect(o Objective, labels []string, series []sources.Series, resources *Resources) []*tally {
	// Sums of float64 depend on their order by a little: sort what is summed.
	series = slices.Clone(series)
	slices.SortFunc(series, func(a, b sources.Series) int {
		return cmp.Or(slices.Compare(a.Values, b.Values), cmp.Compare(a.Instance, b.Instance))
	})
	threshold := o.thresholdSeconds()
	byKey := map[key]*tally{}
	for _, s := range series {
		value := func(label string) string {
			if i := slices.Index(labels, label); i >= 0 && i < len(s.Values) {
				return s.Values[i]
			}
			return ""
		}
		unnamed := o.isUnnamed(s, value(labelVerb), value(labelScope))
		if !unnamed && !o.selects(value(labelVerb), value(labelScope)) {
			continue
		}
		k := o.keyOf(value)
		t := byKey[k]
		if t == nil {
			t = &tally{key: k}
			switch {
			case o.excludes(k):
				t.standing = standing{excluded: v1alpha1.ExcludedByConfiguration}
			case o.perResource():
				t.standing = resources.standing(k.group, k.resource, k.subresource)
			}
			byKey[k] = t
		}
		t.unnamed = t.unnamed || unnamed
		if o.Type == v1alpha1.IndicatorRatio {
			good, known := o.isGood(value)
			t.addCount(s.Increase, good, known && !unnamed)
		} else {
			t.add(s.Histogram, threshold)
		}
	}
	tallies := make([]*tally, 0, len(byKey))
	for _, t := range byKey {
		tallies = append(tallies, t)
	}
	slices.SortFunc(tallies, func(a, b *tally) int { return a.key.compare(b.key) })
	return tallies
}

// isUnnamed says that the events of a Ratio in this series may be of the objective: there
// is no trace of their verb.
func (o Objective) isUnnamed(s sources.Series, verb, scope string) bool {
	return o.Type == v1alpha1.IndicatorRatio && o.Verbs != nil && verb == "" && s.Increase > 0 && o.selects(o.Verbs[0], scope)
}

// label of the key by its name.
func (k key) label(name string) string {
	switch name {
	case labelGroup:
		return k.group
	case labelResource:
		return k.resource
	case labelSubresource:
		return k.subresource
	case labelVerb:
		return k.verb
	}
	return ""
}

func (o Objective) keyOf(value func(label string) string) key {
	var k key
	for _, label := range o.Key {
		switch label {
		case labelGroup:
			k.group = value(label)
		case labelResource:
			k.resource = value(label)
		case labelSubresource:
			k.subresource = value(label)
		case labelVerb:
			k.verb = value(label)
		}
	}
	return k
}
