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

// tolerance is the relative difference allowed between numbers: sources sum in
// different orders.
const tolerance = 1e-9

// seriesProperty returns "" when the property holds, and what there is otherwise. at is
// the end of the window.
func seriesProperty(series sources.Series, at time.Time, property string) string {
	name, want, _ := strings.Cut(property, "=")
	switch name {
	case "instance":
		return ""
	case "increase":
		return number(series.Increase, want)
	case "last":
		return number(series.Last, want)
	case "max":
		return number(series.Max, want)
	case "samples":
		return samplesProperty(series.Samples, at, want)
	}
	if series.Histogram == nil {
		return "no histogram"
	}
	return histogramProperty(series.Histogram, name, want)
}

func histogramProperty(h *sources.Buckets, name, want string) string {
	if bound, found := strings.CutPrefix(name, "le:"); found {
		le, _ := strconv.ParseFloat(bound, 64)
		count, known := h.AtMost(le)
		if !known {
			return differs("unknown", want)
		}
		return number(count, want)
	}
	if percent, found := strings.CutPrefix(name, "q"); found {
		q, _ := strconv.ParseFloat(percent, 64)
		return number(h.Quantile(q/100), want)
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
		return number(h.Count(), want)
	case "sum":
		return number(h.Sum, want)
	}
	return "an unknown property"
}

func differs(got, want string) string {
	if got == want {
		return ""
	}
	return got
}

func number(got float64, text string) string {
	want, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return FormatValue(got)
	case got == want, math.IsNaN(got) && math.IsNaN(want):
		return ""
	case math.Abs(got-want) <= tolerance*math.Max(math.Abs(got), math.Abs(want)):
		return ""
	}
	return FormatValue(got)
}
