// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// total is the latency of one key as callers see it.
type total struct {
	// real requests, and all of them with dry runs; nil without a series.
	real, all *sources.Buckets
	// unreadable: a series is no usable histogram.
	unreadable bool
}

// totals of the keys of an objective, by key.
func totals(o Objective, result sources.Result) map[key]*total {
	labels := totalLatency().Labels
	series := slices.Clone(result.Series)
	// Sums of float64 depend on their order by a little: sort what is summed.
	slices.SortFunc(series, func(a, b sources.Series) int {
		return cmp.Or(slices.Compare(a.Values, b.Values), cmp.Compare(a.Instance, b.Instance))
	})
	byKey := map[key]*total{}
	for _, s := range series {
		value := func(label string) string {
			if i := slices.Index(labels, label); i >= 0 && i < len(s.Values) {
				return s.Values[i]
			}
			return ""
		}
		if !o.selects(value(labelVerb), value(labelScope)) {
			continue
		}
		k := o.keyOf(value)
		if byKey[k] == nil {
			byKey[k] = &total{}
		}
		byKey[k].add(s.Histogram, value(labelDryRun) == "")
	}
	return byKey
}

func (t *total) add(b *sources.Buckets, isReal bool) {
	if !usable(b) {
		t.unreadable = true
		return
	}
	b = b.EnsureMonotonic()
	plus := func(to *sources.Buckets) *sources.Buckets {
		if to == nil {
			return b
		}
		return to.Add(b)
	}
	t.all = plus(t.all)
	if isReal {
		t.real = plus(t.real)
	}
}

// isAsked says that there were requests, or may have been.
func (t *total) isAsked() bool { return t != nil && (t.unreadable || t.all.Count() > 0) }

// sameCounts is by how much the number of requests may differ between the two
// histograms, as a share: they are read in one sample, but written one after the
// other, and extrapolated each by itself. A request too many counts with all of its
// latency; at 1% the mean that is lost may be off by 1% of the mean latency. By more
// than that share of the time the total is not below the indicator but for a defect.
const sameCounts = 0.01

// sumNoise is by how many seconds a difference of sums may be below zero where nothing
// was lost: a sum of ten million seconds is kept to a few billionths of one.
const sumNoise = 1e-6

// overhead is what a key's callers waited beyond its indicator.
type overhead struct {
	// histogram of the total latency of the same requests; nil when it is not known.
	histogram *sources.Buckets
	// seconds that all of them lost; NaN when that is not known.
	seconds float64
	// problem says why seconds are not known, or are given as zero.
	problem string
	// dryRuns says that the histogram is with dry runs, and differ that without them,
	// or with them, it would be another.
	dryRuns, differ bool
}

// overheadOf a key with requests. The time lost is the difference of two sums, never
// of quantiles. It has to be of the same requests: up to Kubernetes 1.34 the indicator
// includes dry runs, from 1.35 on it does not (k8s.io/apiserver pkg/endpoints/metrics,
// MonitorRequest), and so the total is taken with or without them, whichever has as
// many requests as the indicator.
func (t *tally) overheadOf(total *total) overhead {
	switch {
	case t.unreadable || t.histogram == nil:
		return unknownOverhead(nil, "the histogram of the indicator can not be read")
	case total == nil:
		return unknownOverhead(nil, "%s has no series of this key", metricRequest)
	case total.unreadable:
		return unknownOverhead(nil, "a histogram of %s can not be read", metricRequest)
	}
	histogram := total.nearest(t.count)
	switch {
	case histogram == nil || math.Abs(histogram.Count()-t.count) > sameCounts*t.count:
		return unknownOverhead(total.real, "%s counts %d requests and the indicator %d: they are not of the same requests",
			metricRequest, wholeCount(histogram), whole(t.count, t.count))
	case !usableSum(histogram) || !usableSum(t.histogram):
		return unknownOverhead(histogram, "the metrics have no sums")
	}
	seconds := histogram.Sum - t.histogram.Sum
	if seconds < -sumNoise-sameCounts*t.histogram.Sum {
		return unknownOverhead(histogram, "the total is %s less than the indicator, which is a part of it", latency(-seconds))
	}
	if seconds < -sumNoise {
		return overhead{histogram: histogram, problem: fmt.Sprintf(
			"the total is %s less than the indicator: the samples of both differ, and zero is given", latency(-seconds))}
	}
	return overhead{histogram: histogram, seconds: max(0, seconds)}
}

// nearest is the histogram whose count is nearer to that of the indicator; real
// requests where both are.
func (t *total) nearest(count float64) *sources.Buckets {
	if t.real == nil || t.all != nil && math.Abs(t.all.Count()-count) < math.Abs(t.real.Count()-count) {
		return t.all
	}
	return t.real
}

// usableSum says that the sum is a number, and within reason; see usable.
func usableSum(b *sources.Buckets) bool { return b.Sum >= 0 && b.Sum <= maxWhole/1000 }

func wholeCount(b *sources.Buckets) int64 {
	if b == nil {
		return 0
	}
	return whole(b.Count(), b.Count())
}

func unknownOverhead(histogram *sources.Buckets, format string, args ...any) overhead {
	return overhead{histogram: histogram, seconds: math.NaN(), problem: fmt.Sprintf(format, args...)}
}

func (l overhead) isKnown() bool { return !math.IsNaN(l.seconds) }

// status as the API has it, of a key with so many requests.
func (l overhead) status(requests float64, rule sources.Rule) *v1alpha1.TotalLatency {
	status := &v1alpha1.TotalLatency{Problem: l.problem}
	if l.histogram != nil && l.histogram.Count() > 0 {
		status.Quantiles = quantilesOf(l.histogram, rule)
	}
	if l.isKnown() {
		status.LostMilliseconds, status.LostPerRequestMilliseconds = lost(l.seconds, requests)
	}
	return status
}

// lost milliseconds of all requests, and the mean.
func lost(seconds, requests float64) (all, mean *int64) {
	if !(requests > 0) || !(seconds >= 0 && seconds <= maxWhole/1000) {
		return nil, nil
	}
	sum, each := int64(math.Round(seconds*1000)), int64(math.Round(seconds*1000/requests))
	return &sum, &each
}

// latency in seconds as people write it: 2.7s, 340ms, 0.
func latency(seconds float64) string {
	switch {
	case seconds >= 0.9995:
		return fmt.Sprintf("%.1fs", seconds)
	case seconds >= 0.0005:
		return fmt.Sprintf("%.0fms", seconds*1000)
	}
	return "less than 1ms"
}
