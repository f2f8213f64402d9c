// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package servicelevelindicator

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/cell"
	"example.io/slo-apiserver/pkg/registry/computed"
)

type column = computed.Column[slo.ServiceLevelIndicator]

// define makes a column of strings. Priority 0 is always shown, 1 with -o wide.
func define(name string, priority int32, description string, show func(*slo.ServiceLevelIndicator) string) column {
	return column{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: name, Type: "string", Priority: priority, Description: description},
		Cell:                  func(i *slo.ServiceLevelIndicator, _ time.Time) any { return show(i) },
	}
}

// The name holds report, verb, resource and group: they need no columns but in the
// wide table, where hashed names are told apart.
var columns = []column{
	{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: "Report and key."},
		Cell:                  func(i *slo.ServiceLevelIndicator, _ time.Time) any { return i.Name },
	},
	define("Outcome", 0, "Outcome of the key in the window.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Text(string(i.Status.Outcome)) }),
	define("P99", 0, "Bucket with the 99th percentile.",
		func(i *slo.ServiceLevelIndicator) string {
			return cell.Latency(i.Status.P99Bucket, i.Status.P99Milliseconds)
		}),
	define("Good", 0, "Share of requests within the threshold, rounded down.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Percent(i.Status.GoodRatio) }),
	define("Slow", 0, "Requests in the window that took longer than the threshold.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Count(i.Status.SlowRequests) }),
	define("Requests", 0, "Requests in the window.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Count(i.Status.Requests) }),
	define("Bad Minutes", 0, "Bad minutes in the last 24 hours, of those judged.",
		func(i *slo.ServiceLevelIndicator) string {
			if i.Status.Day == nil {
				return cell.Missing
			}
			return cell.Of(i.Status.Day.BadMinutes, i.Status.Day.BadMinutes+i.Status.Day.GoodMinutes)
		}),
	{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: "Age", Type: "string", Description: "Time since the newest sample."},
		Cell: func(i *slo.ServiceLevelIndicator, now time.Time) any {
			return cell.Age(i.Status.ObservationTime, now)
		},
	},

	define("P50", 1, "Median latency.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Milliseconds(i.Status.P50Milliseconds) }),
	define("P90", 1, "90th percentile of the latency.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Milliseconds(i.Status.P90Milliseconds) }),
	define("Total P99", 1, "Bucket with the 99th percentile of the latency as callers see it.",
		func(i *slo.ServiceLevelIndicator) string {
			if i.Status.Total == nil {
				return cell.Missing
			}
			return cell.Latency(i.Status.Total.P99Bucket, i.Status.Total.P99Milliseconds)
		}),
	define("Lost", 1, "Mean time that a request lost to webhooks and queues.",
		func(i *slo.ServiceLevelIndicator) string {
			if i.Status.Total == nil {
				return cell.Missing
			}
			return cell.Milliseconds(i.Status.Total.LostPerRequestMilliseconds)
		}),
	define("Threshold", 1, "Highest latency at which a request is good.",
		func(i *slo.ServiceLevelIndicator) string {
			if i.Spec.ThresholdMilliseconds == 0 { // of a ratio, or for information
				return cell.Missing
			}
			return cell.Milliseconds(&i.Spec.ThresholdMilliseconds)
		}),
	define("Reason", 1, "Why the outcome is Unknown or Excluded.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Text(i.Status.Reason) }),
	define("Report", 1, "SLOReport that the key is of.",
		func(i *slo.ServiceLevelIndicator) string { return cell.Text(i.Spec.Report) }),
	define("Key", 1, "Key as the metrics have it.",
		func(i *slo.ServiceLevelIndicator) string {
			return cell.Text(cell.Key(i.Spec.Group, i.Spec.Resource, i.Spec.Subresource, i.Spec.Verb))
		}),
}
