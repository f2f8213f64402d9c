// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cell is how values look in a table. A value that is not known shows as
// Missing, never as a zero; a column that can miss values is one of strings.
package cell

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Missing stands for a value that is not known or that there is none of.
const Missing = "-"

// Text shows a string.
func Text(s string) string {
	if s == "" {
		return Missing
	}
	return s
}

// Count shows a number.
func Count(n *int64) string {
	if n == nil {
		return Missing
	}
	return strconv.FormatInt(*n, 10)
}

// Of shows a part of a whole.
func Of[N int32 | int64](part, whole N) string {
	return fmt.Sprintf("%d/%d", part, whole)
}

// Instances shows how many of the expected processes were read.
func Instances(n *slo.InstanceCounts) string {
	if n == nil {
		return Missing
	}
	return Of(n.Observed, n.Expected)
}

// Key names a key as kubectl names resources: deployments.apps/scale PATCH.
func Key(group, resource, subresource, verb string) string {
	name := resource
	if group != "" {
		name += "." + group
	}
	if subresource != "" {
		name += "/" + subresource
	}
	if name != "" && verb != "" {
		name += " "
	}
	return name + verb
}

// Age shows the time since t as kubectl shows the age of an object. The clock
// that t is from may be a little ahead of ours: that is no age.
func Age(t *metav1.Time, now time.Time) string {
	if t.IsZero() {
		return Missing
	}
	return duration.HumanDuration(max(0, now.Sub(t.Time)))
}

// Latency shows the bucket that a latency is known to lie in, 1s..1.25s, or where
// there is no bucket the latency itself, in milliseconds.
func Latency(bucket *slo.LatencyBucket, milliseconds *int64) string {
	switch {
	case bucket != nil && bucket.UpToMilliseconds == nil:
		return ">" + Milliseconds(&bucket.OverMilliseconds)
	case bucket != nil && bucket.OverMilliseconds == 0:
		return "<=" + Milliseconds(bucket.UpToMilliseconds)
	case bucket != nil:
		return Milliseconds(&bucket.OverMilliseconds) + ".." + Milliseconds(bucket.UpToMilliseconds)
	}
	return Milliseconds(milliseconds)
}

// Milliseconds shows a latency: 250ms, 1.25s, 60s. Minutes would not say more.
func Milliseconds(ms *int64) string {
	switch {
	case ms == nil:
		return Missing
	case *ms < 1000:
		return strconv.FormatInt(*ms, 10) + "ms"
	}
	fraction := strings.TrimRight(fmt.Sprintf("%03d", *ms%1000), "0")
	if fraction != "" {
		fraction = "." + fraction
	}
	return strconv.FormatInt(*ms/1000, 10) + fraction + "s"
}

// Percent shows a ratio of the API, a decimal in [0,1] of up to six digits,
// rounded down: only what is all good shows as 100%.
func Percent(ratio string) string {
	whole, fraction, _ := strings.Cut(ratio, ".")
	if len(fraction) > 6 || (whole != "0" && whole != "1") {
		return Missing
	}
	millionths, err := strconv.ParseUint(whole+fraction+"000000"[len(fraction):], 10, 32)
	switch {
	case err != nil || millionths > 1_000_000:
		return Missing
	case millionths == 1_000_000:
		return "100%"
	}
	return fmt.Sprintf("%d.%02d%%", millionths/10_000, millionths/100%100)
}

// Words spells out a reason of a condition: NoKubeletSeen is "no kubelet seen".
// Words in capitals stay as they are.
func Words(reason string) string {
	var out strings.Builder
	runes := []rune(reason)
	lower := func(i int) bool { return i >= 0 && i < len(runes) && !unicode.IsUpper(runes[i]) }
	for i, r := range runes {
		starts := unicode.IsUpper(r) && (lower(i-1) || lower(i+1))
		if starts && i > 0 {
			out.WriteByte(' ')
		}
		if starts && lower(i+1) {
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Seconds shows a length of time: 45s, 5m, 4m30s.
func Seconds(seconds *int64) string {
	if seconds == nil {
		return Missing
	}
	return duration.HumanDuration(time.Duration(*seconds) * time.Second)
}
