// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sloreport

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/cell"
	"example.io/slo-apiserver/pkg/registry/computed"
)

type column = computed.Column[slo.SLOReport]

// define makes a column of strings. Priority 0 is always shown, 1 with -o wide.
func define(name string, priority int32, description string, show func(*slo.SLOReport, time.Time) string) column {
	return column{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: name, Type: "string", Priority: priority, Description: description},
		Cell:                  func(r *slo.SLOReport, now time.Time) any { return show(r, now) },
	}
}

const minutesPerDay = 24 * 60

var columns = []column{
	{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: "Name of the objective."},
		Cell:                  func(r *slo.SLOReport, _ time.Time) any { return r.Name },
	},
	define("Met", 0, "Whether the objective holds in the window: status of the condition Met.",
		func(r *slo.SLOReport, _ time.Time) string {
			if met := metCondition(r); met != nil {
				return string(met.Status)
			}
			return cell.Missing
		}),
	define("P99", 0, "Bucket with the 99th percentile of the worst key.",
		func(r *slo.SLOReport, _ time.Time) string {
			return cell.Latency(r.Status.P99Bucket, r.Status.P99Milliseconds)
		}),
	define("Good", 0, "Share of requests within the threshold, over all keys, rounded down.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Percent(r.Status.GoodRatio) }),
	define("Slow", 0, "Requests in the window that took longer than the threshold, over all keys.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Count(r.Status.SlowRequests) }),
	define("Requests", 0, "Requests in the window, over all keys.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Count(r.Status.Requests) }),
	define("Bad Minutes", 0, "Bad minutes in the last 24 hours, of those allowed.",
		func(r *slo.SLOReport, _ time.Time) string {
			// A day of which no minute is known has no known bad ones.
			if r.Status.Day == nil || r.Status.Day.UnknownMinutes == minutesPerDay {
				return cell.Missing
			}
			return cell.Of(r.Status.Day.BadMinutes, r.Status.Day.BadMinutesAllowed)
		}),
	define("Worst", 0, "Worst key, after why the verdict is unknown, or why there is none, in parentheses.",
		func(r *slo.SLOReport, _ time.Time) string { return worst(r) }),
	define("Age", 0, "Time since the newest sample in the report.",
		func(r *slo.SLOReport, now time.Time) string { return cell.Age(r.Status.ObservationTime, now) }),

	define("P50", 1, "Median latency of the worst key.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Milliseconds(r.Status.P50Milliseconds) }),
	define("P90", 1, "90th percentile of the latency of the worst key.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Milliseconds(r.Status.P90Milliseconds) }),
	define("Threshold", 1, "Highest latency at which a request is good, or the least share of good requests.",
		func(r *slo.SLOReport, _ time.Time) string { return threshold(r) }),
	define("Keys", 1, "Keys that do not hold, of all that count.",
		func(r *slo.SLOReport, _ time.Time) string {
			if r.Status.Keys == nil {
				return cell.Missing
			}
			return cell.Of(r.Status.Keys.Violated, r.Status.Keys.Total)
		}),
	define("Window", 1, "Length of the window as measured.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Seconds(r.Status.WindowSeconds) }),
	define("Instances", 1, "Processes that were read, of those expected.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Instances(r.Status.Instances) }),
	define("Lost", 1, "Mean time that a request lost to webhooks and queues, which the indicator leaves out.",
		func(r *slo.SLOReport, _ time.Time) string {
			if r.Status.Overhead == nil {
				return cell.Missing
			}
			return cell.Milliseconds(r.Status.Overhead.LostPerRequestMilliseconds)
		}),
	define("Reason", 1, "Reason of the condition Met.",
		func(r *slo.SLOReport, _ time.Time) string {
			if met := metCondition(r); met != nil {
				return cell.Text(met.Reason)
			}
			return cell.Missing
		}),
	define("Finding", 1, "What the verdict does not say: what callers wait for, and requests that were turned away.",
		func(r *slo.SLOReport, _ time.Time) string { return cell.Text(r.Status.Finding) }),
}

// threshold of a latency, or of a ratio; an indicator for information has none.
func threshold(r *slo.SLOReport) string {
	switch {
	case r.Spec.Indicator.Type == slo.IndicatorRatio:
		return cell.Percent(r.Spec.GoodRatio)
	case r.Spec.ThresholdMilliseconds == 0:
		return cell.Missing
	}
	return cell.Milliseconds(&r.Spec.ThresholdMilliseconds)
}

func metCondition(r *slo.SLOReport) *metav1.Condition {
	return meta.FindStatusCondition(r.Status.Conditions, slo.ConditionMet)
}

// worst shows the worst key. Without any it says why, so that no traffic and no
// data look different in a column where both are Unknown; and where the verdict is
// unknown in spite of one, what makes it so. Where the objective has one key only,
// there is no name to show.
func worst(r *slo.SLOReport) string {
	key, why := "", ""
	if len(r.Status.Worst) > 0 {
		key = keyName(&r.Status.Worst[0])
	}
	if met := metCondition(r); met != nil && met.Reason != "" && (len(r.Status.Worst) == 0 || r.Status.Verdict == slo.VerdictUnknown) {
		why = "(" + cell.Words(met.Reason) + ")"
	}
	return cell.Text(strings.TrimSpace(why + " " + key))
}

func keyName(k *slo.KeyFigures) string {
	return cell.Key(k.Group, k.Resource, k.Subresource, k.Verb)
}
