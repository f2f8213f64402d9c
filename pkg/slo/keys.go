// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// keys are all keys of an objective and what became of them.
type keys struct {
	// by outcome, sorted by key; counted keys only.
	by map[outcome][]*tally
	// figures of the counted keys that had requests and can be read, the worst first.
	figures []keyFigures
	counts  v1alpha1.KeyCounts
	// requests and slow sum the figures, each of which is rounded: the totals are
	// those of the keys that are shown.
	requests, slow int64
	// readable is false when a counted key had a histogram that can not be read.
	// exact is false when the number of slow requests of one is not known.
	readable, exact bool
	// interpolated says that the number of slow requests is an estimate between the
	// bounds of native histograms: at least slowLeast, at most slowMost.
	interpolated        bool
	slowLeast, slowMost int64
	// dryRuns that may be among the requests, where that is known.
	dryRuns      float64
	dryRunsKnown bool
	// doubtful is the first doubtful key that does not hold for sure; see standing.
	doubtful *tally
}

func assess(o Objective, tallies []*tally, s shares, rule sources.Rule) *keys {
	k := &keys{by: map[outcome][]*tally{}, readable: true, exact: true}
	excluded := map[v1alpha1.ExclusionReason]*v1alpha1.ExcludedKeys{}
	for _, t := range tallies {
		t.became = t.outcome(o, s, rule)
		became := t.became
		if t.excluded != "" {
			exclude(excluded, t)
			if t.doubtful && (became == violated || became == undecided) && k.doubtful == nil {
				k.doubtful = t
			}
			continue
		}
		k.by[became] = append(k.by[became], t)
		k.counts.Total++
		k.readable = k.readable && !t.unreadable
		k.exact = k.exact && t.exact()
		k.interpolated = k.interpolated || t.interpolated
		k.dryRuns += t.dryRuns
		if t.count > 0 && !t.unreadable {
			figures := figuresOf(t, became, rule)
			k.figures = append(k.figures, figures)
			k.requests += figures.Requests
			k.slow += figures.SlowRequests
			k.slowLeast += min(figures.Requests, whole(t.count-t.most, t.count))
			k.slowMost += min(figures.Requests, whole(t.count-t.least, t.count))
		}
	}
	k.counts.Violated = int64(len(k.by[violated]))
	k.counts.Idle = int64(len(k.by[idle]))
	for _, e := range excluded {
		k.counts.Excluded = append(k.counts.Excluded, *e)
	}
	slices.SortFunc(k.counts.Excluded, func(a, b v1alpha1.ExcludedKeys) int { return cmp.Compare(a.Reason, b.Reason) })
	slices.SortFunc(k.figures, keyFigures.compare)
	return k
}

func exclude(excluded map[v1alpha1.ExclusionReason]*v1alpha1.ExcludedKeys, t *tally) {
	e := excluded[t.excluded]
	if e == nil {
		e = &v1alpha1.ExcludedKeys{Reason: t.excluded}
		excluded[t.excluded] = e
	}
	e.Keys++
	e.Requests += whole(t.count, t.count)
}

// keyFigures are the figures of a key and what they are ordered by.
type keyFigures struct {
	v1alpha1.KeyFigures
	tally   *tally
	outcome outcome
}

// figuresOf a key with requests. Extrapolated counts are shown as whole numbers;
// the verdict uses them as they are, so that right at the percentile the numbers
// shown may seem to say otherwise. Where the bucket of the threshold is missing,
// requests that are not known to have been within it are given as slow.
func figuresOf(t *tally, became outcome, rule sources.Rule) keyFigures {
	requests := whole(t.count, t.count)
	slow := min(requests, whole(t.count-t.estimate(), t.count))
	return keyFigures{
		KeyFigures: v1alpha1.KeyFigures{
			Group:        t.group,
			Resource:     t.resource,
			Subresource:  t.subresource,
			Verb:         t.verb,
			Requests:     requests,
			SlowRequests: slow,
			GoodRatio:    ratio(slow, requests),
			Interpolated: t.interpolated && t.exact(),
			Quantiles:    t.quantiles(rule),
		},
		tally:   t,
		outcome: became,
	}
}

func (t *tally) quantiles(rule sources.Rule) v1alpha1.Quantiles {
	if t.histogram == nil {
		return v1alpha1.Quantiles{}
	}
	return quantilesOf(t.histogram, rule)
}

// compare orders the worst first: violated keys, then by falling 99th percentile
// as it is shown, then by slow requests, then by name.
func (f keyFigures) compare(other keyFigures) int {
	if (f.outcome == violated) != (other.outcome == violated) {
		if f.outcome == violated {
			return -1
		}
		return +1
	}
	return cmp.Or(
		-cmp.Compare(f.p99(), other.p99()),
		-cmp.Compare(f.SlowRequests, other.SlowRequests),
		f.tally.key.compare(other.tally.key),
	)
}

// p99 in milliseconds; without an upper bound it is more than all others.
func (f keyFigures) p99() float64 {
	if f.tally.histogram == nil {
		return 0 // of a Ratio: there are no latencies to order by
	}
	if f.P99Milliseconds == nil || f.P99Bucket == nil || f.P99Bucket.UpToMilliseconds == nil {
		return math.Inf(+1)
	}
	return float64(*f.P99Milliseconds)
}
