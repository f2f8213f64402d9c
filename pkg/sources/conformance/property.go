// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"math"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// tolerance of scenarios, see Scenario.Tolerance.
type tolerance float64

// seriesProperty returns "" when the property holds, and what there is otherwise. at is
// the end of the window.
func (t tolerance) seriesProperty(series sources.Series, at time.Time, property string) string {
	name, want, _ := strings.Cut(property, "=")
	switch name {
	case "instance":
		return ""
	case "increase":
		return t.number(series.Increase, want)
	case "last":
		return t.number(series.Last, want)
	case "max":
		return t.number(series.Max, want)
	case "samples":
		return t.samplesProperty(series.Samples, at, want)
	}
	if series.Histogram == nil {
		return "no histogram"
	}
	return t.histogramProperty(series.Histogram, name, want)
}

func (t tolerance) histogramProperty(h *sources.Buckets, name, want string) string {
	if bound, found := strings.CutPrefix(name, "le:"); found {
		le, _ := strconv.ParseFloat(bound, 64)
		count, known := h.AtMost(le)
		if !known {
			return differs("unknown", want)
		}
		return t.number(count, want)
	}
	if percent, found := strings.CutPrefix(name, "q"); found {
		q, _ := strconv.ParseFloat(percent, 64)
		return t.number(h.Quantile(q/100), want)
	}
	if percent, found := strings.CutPrefix(name, "bucket"); found {
		q, _ := strconv.ParseFloat(percent, 64)
		lower, upper, known := h.Bucket(q / 100)
		if !known {
			return differs("unknown", want)
		}
		return differs(FormatValue(lower)+".."+FormatValue(upper), want)
	}
	switch name {
	case "count":
		return t.number(h.Count(), want)
	case "sum":
		return t.number(h.Sum, want)
	}
	return "an unknown property"
}

func differs(got, want string) string {
	if got == want {
		return ""
	}
	return got
}

func (t tolerance) number(got float64, text string) string {
	want, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return FormatValue(got)
	case got == want, math.IsNaN(got) && math.IsNaN(want):
		return ""
	case math.Abs(got-want) <= float64(t)*math.Max(math.Abs(got), math.Abs(want)):
		return ""
	}
	return FormatValue(got)
}
