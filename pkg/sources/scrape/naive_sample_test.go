// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"example.io/slo-apiserver/pkg/sources"
)

// The naive model of a scan: it remembers nothing, and decodes with the libraries
// of the formats. What the scanner says has to be what it says.

// naiveSample is one series in one answer.
type naiveSample struct {
	key    string
	family string
	labels []label
	value  naiveValue
}

type naiveExposition struct {
	started  time.Time
	samples  []naiveSample
	families map[string]bool
	warnings map[string][]string
}

// naiveBuilder collects an naiveExposition from a decoder. What both formats have to agree
// on is decided here.
type naiveBuilder struct {
	limits Limits
	result naiveExposition
	seen   map[string]bool // keys of samples
	bounds []float64       // of the last histogram: the next one mostly has the same
	key    []byte
}

func newNaiveBuilder(limits Limits) *naiveBuilder {
	return &naiveBuilder{
		limits: limits,
		result: naiveExposition{families: map[string]bool{}, warnings: map[string][]string{}},
		seen:   map[string]bool{},
	}
}

// warn about a family, once per text.
func (b *naiveBuilder) warn(f *family, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(b.result.warnings[f.name], text) {
		b.result.warnings[f.name] = append(b.result.warnings[f.name], text)
	}
}

// hasType says whether a family is of the type it is read as. Untyped passes for
// a number.
func (b *naiveBuilder) hasType(f *family, typ string) bool {
	if typ == kindName(f.kind) || (typ == "untyped" && f.kind != sources.Histogram) {
		return true
	}
	b.warn(f, "%s is a %s, not a %s: not read", f.name, typ, kindName(f.kind))
	return false
}

// number adds a series of a counter or gauge. A gauge may be NaN: that is a value.
func (b *naiveBuilder) number(f *family, labels []label, v float64) error {
	b.result.families[f.name] = true
	if f.name == startTime && len(labels) == 0 {
		b.result.started = unixTime(v)
	}
	val := naiveValue{state: known, number: v}
	if f.kind == sources.Counter && (!(v >= 0) || math.IsInf(v, 1)) {
		b.warn(f, "%s has series with the value %v: not read", f.name, v)
		val = naiveValue{state: unknown}
	}
	return b.add(f, labels, val)
}

// histogram adds a histogram. count and sum are NaN when the answer does not have
// them; buckets may come in any order and is sorted.
func (b *naiveBuilder) histogram(f *family, labels []label, buckets []bucket, count, sum float64) error {
	if !slices.ContainsFunc(buckets, func(b bucket) bool { return !math.IsInf(b.bound, 1) }) {
		b.warn(f, "%s has no classic buckets: its native histogram is not read", f.name)
		return nil // an instance that has nothing else of the family does not have it
	}
	b.result.families[f.name] = true
	slices.SortFunc(buckets, func(x, y bucket) int { return cmp.Compare(x.bound, y.bound) })
	if last := buckets[len(buckets)-1]; !math.IsInf(last.bound, 1) {
		buckets = append(buckets, bucket{math.Inf(1), count})
	}
	val := naiveValue{state: known}
	if problem := malformed(buckets); problem != "" {
		b.warn(f, "%s has histograms %s: not read", f.name, problem)
		val.state = unknown
	} else {
		val.histogram = &sources.Buckets{Bounds: b.boundsOf(buckets), Counts: counts(buckets), Sum: sum}
	}
	return b.add(f, labels, val)
}

func (b *naiveBuilder) boundsOf(buckets []bucket) []float64 {
	same := slices.EqualFunc(b.bounds, buckets, func(bound float64, b bucket) bool { return bound == b.bound })
	if !same {
		b.bounds = make([]float64, len(buckets))
		for i := range buckets {
			b.bounds[i] = buckets[i].bound
		}
	}
	return b.bounds
}

func counts(buckets []bucket) []float64 {
	counts := make([]float64, len(buckets))
	for i := range buckets {
		counts[i] = buckets[i].count
	}
	return counts
}

// add a series that some signal reads. labels are kept.
func (b *naiveBuilder) add(f *family, labels []label, v naiveValue) error {
	labels = slices.DeleteFunc(labels, func(l label) bool { return l.value == "" })
	slices.SortFunc(labels, byName)
	if !f.keeps(labels) {
		return nil
	}
	b.key = append(b.key[:0], f.name...)
	for i, l := range labels {
		if len(l.name) > b.limits.LabelBytes || len(l.value) > b.limits.LabelBytes {
			b.warn(f, "%s has series with labels of more than %d bytes: not read", f.name, b.limits.LabelBytes)
			return nil
		}
		if !utf8.ValidString(l.name) || !utf8.ValidString(l.value) {
			return fmt.Errorf("a label of %s is not UTF-8: %.100q=%.100q", f.name, l.name, l.value)
		}
		if i > 0 && l.name == labels[i-1].name {
			return fmt.Errorf("label %q stands twice in one series of %s", l.name, f.name)
		}
		// 0xff is in no valid UTF-8 text: no two label sets share a key.
		b.key = append(b.key, 0xff)
		b.key = append(b.key, l.name...)
		b.key = append(b.key, 0xff)
		b.key = append(b.key, l.value...)
	}
	if b.seen[string(b.key)] {
		return fmt.Errorf("one series of %s stands twice: %s", f.name, formatLabels(labels))
	}
	key := string(b.key)
	b.seen[key] = true
	b.result.samples = append(b.result.samples, naiveSample{key: key, family: f.name, labels: labels, value: v})
	return nil
}
