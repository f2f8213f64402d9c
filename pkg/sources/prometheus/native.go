// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"

	"example.io/slo-apiserver/pkg/sources"
)

// Native histograms are read where Prometheus has nothing else: a job with
// scrape_native_histograms and without always_scrape_classic_histograms, of
// kube-apiservers and kubelets from 1.37 on. Their increase is a histogram with bounds
// of its own, which the answer has: they are kept, so that what is said of a threshold
// between two of them is known to be between two counts.
//
// What births lack is not added: a native histogram does not show how many of its
// observations came before its first sample.

// nativeBucket of an answer, without the rule for its bounds: nobody observes a bound
// of a float64 to the last bit.
type nativeBucket struct{ lower, upper, count float64 }

// native histogram of an answer.
type native struct {
	count, sum float64
	buckets    []nativeBucket
}

// nativePoint reads [time, {"count": "...", "sum": "...", "buckets": [[rule, "lower",
// "upper", "count"], ...]}]
// (https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms).
func (d *decoder) nativePoint() error {
	if err := d.expect('['); err != nil {
		return err
	}
	if _, err := d.number(); err != nil {
		return err
	}
	if err := d.expect(','); err != nil {
		return err
	}
	h := &native{}
	err := d.object(func(key string) (err error) {
		switch key {
		case "count":
			h.count, err = d.quoted()
		case "sum":
			h.sum, err = d.quoted()
		case "buckets":
			err = d.array(func() error { return d.nativeBucket(h) })
		default:
			err = d.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	d.current.native = h
	return d.expect(']')
}

func (d *decoder) nativeBucket(h *native) error {
	if err := d.expect('['); err != nil {
		return err
	}
	if _, err := d.number(); err != nil {
		return err
	}
	var parts [3]float64
	for i := range parts {
		if err := d.expect(','); err != nil {
			return err
		}
		value, err := d.quoted()
		if err != nil {
			return err
		}
		parts[i] = value
	}
	h.buckets = append(h.buckets, nativeBucket{parts[0], parts[1], parts[2]})
	return d.expect(']')
}

// quoted reads a number in quotes.
func (d *decoder) quoted() (float64, error) {
	text, err := d.string()
	if err != nil {
		return 0, err
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("the value %q is not a number", text)
	}
	return value, nil
}

// cumulative buckets with both bounds of each that holds something, and +Inf. It is nil
// where the histogram is none: its buckets do not add up to its count.
func (n *native) cumulative() *sources.Buckets {
	b := &sources.Buckets{Native: true, Sum: n.sum}
	slices.SortFunc(n.buckets, func(a, b nativeBucket) int {
		switch {
		case a.upper < b.upper:
			return -1
		case a.upper > b.upper:
			return +1
		}
		return 0
	})
	total := 0.0
	bound := func(at float64) {
		if last := len(b.Bounds) - 1; !math.IsInf(at, 0) && (last < 0 || b.Bounds[last] < at) {
			b.Bounds, b.Counts = append(b.Bounds, at), append(b.Counts, total)
		}
	}
	for _, one := range n.buckets {
		if one.lower > 0 {
			bound(one.lower)
		}
		total += one.count
		bound(one.upper)
	}
	const noise = 1e-6 // of sums of extrapolated counts
	if !(math.Abs(total-n.count) <= noise*max(1, n.count)) {
		return nil
	}
	b.Bounds, b.Counts = append(b.Bounds, math.Inf(1)), append(b.Counts, total)
	return b
}

// readNative reads the native histograms of a signal.
func (s *Source) readNative(ctx context.Context, q *session, e expressions) (map[string]sources.Series, error) {
	found := map[string]sources.Series{}
	rows, key := table{}, []byte(nil)
	form := url.Values{"query": {e.asked.note(sources.RoleBuckets, e.increase("", nil))}, "time": {timestamp(q.at)}}
	err := q.askAll(ctx, "/api/v1/query", form, func(one *series) error {
		if one.native == nil {
			return nil // counters or gauges of the same name are none
		}
		b := one.native.cumulative()
		if b == nil {
			return fmt.Errorf("the buckets of a native histogram of %s do not add up to its count", e.part.metric)
		}
		var r *row
		r, key = rows.of(one, e.signal, key)
		found[string(key)] = sources.Series{Values: r.values, Instance: r.instance, Histogram: b}
		return nil
	})
	return found, err
}
