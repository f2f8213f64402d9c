// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfheadroom

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/cell"
	"example.io/slo-apiserver/pkg/registry/computed"
)

type column = computed.Column[slo.APFHeadroom]

// define makes a column of strings. Priority 0 is always shown, 1 with -o wide.
func define(name string, priority int32, description string, show func(*slo.APFHeadroom, time.Time) string) column {
	return column{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: name, Type: "string", Priority: priority, Description: description},
		Cell:                  func(h *slo.APFHeadroom, now time.Time) any { return show(h, now) },
	}
}

// worst makes a column of a figure of the worst instance.
func worst(name string, priority int32, description string, figure func(*slo.InstanceSeats) *int64) column {
	return define(name, priority, description, func(h *slo.APFHeadroom, _ time.Time) string {
		if h.Status.Worst == nil {
			return cell.Missing
		}
		return cell.Count(figure(h.Status.Worst))
	})
}

// utilization makes a column of the use of seats over time in the worst instance.
func utilization(name, description string, show func(*slo.SeatUtilization) string) column {
	return define(name, 1, description, func(h *slo.APFHeadroom, _ time.Time) string {
		if h.Status.Worst == nil || h.Status.Worst.Utilization == nil {
			return cell.Missing
		}
		return show(h.Status.Worst.Utilization)
	})
}

// requests makes a column of a count over all instances.
func requests(name string, priority int32, description string, count func(*slo.RequestFigures) *int64) column {
	return define(name, priority, description, func(h *slo.APFHeadroom, _ time.Time) string {
		if h.Status.Requests == nil {
			return cell.Missing
		}
		return cell.Count(count(h.Status.Requests))
	})
}

var columns = []column{
	{
		TableColumnDefinition: metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: "Name of the priority level."},
		Cell:                  func(h *slo.APFHeadroom, _ time.Time) any { return h.Name },
	},
	define("Pressure", 0, "State of the priority level in the worst instance.",
		func(h *slo.APFHeadroom, _ time.Time) string { return cell.Text(string(h.Status.Pressure)) }),
	worst("Headroom", 0, "Seats left under the current limit in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.HeadroomSeats }),
	worst("In Use", 0, "Seats taken in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.ExecutingSeats }),
	worst("Limit", 0, "Current limit of seats in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.CurrentLimitSeats }),
	worst("Queued", 0, "Requests waiting for seats in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.QueuedRequests }),
	requests("Rejected", 0, "Requests turned away in the window, over all instances.",
		func(r *slo.RequestFigures) *int64 { return r.Rejected }),
	define("Wait P99", 0, "Bucket with the 99th percentile of the time that requests waited for seats, over all instances.",
		func(h *slo.APFHeadroom, _ time.Time) string {
			if h.Status.Requests == nil {
				return cell.Missing
			}
			return cell.Latency(h.Status.Requests.WaitP99Bucket, h.Status.Requests.WaitP99Milliseconds)
		}),
	define("Worst Instance", 0, "kube-apiserver under the most pressure.",
		func(h *slo.APFHeadroom, _ time.Time) string {
			if h.Status.Worst == nil {
				return cell.Missing
			}
			return cell.Text(h.Status.Worst.Instance)
		}),
	define("Age", 0, "Time since the newest sample in the figures.",
		func(h *slo.APFHeadroom, now time.Time) string { return cell.Age(h.Status.ObservationTime, now) }),

	define("Type", 1, "Limited or Exempt.",
		func(h *slo.APFHeadroom, _ time.Time) string { return cell.Text(h.Spec.Type) }),
	worst("Nominal", 1, "Nominal limit of seats in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.NominalSeats }),
	worst("Nominal Headroom", 1, "Seats left under the nominal limit in the worst instance: what fits within ten seconds.",
		func(i *slo.InstanceSeats) *int64 { return i.NominalHeadroomSeats }),
	worst("Reachable Headroom", 1, "Seats left in the worst instance with all that the level could borrow.",
		func(i *slo.InstanceSeats) *int64 { return i.ReachableHeadroomSeats }),
	define("Exhaustion", 1, "Time until demand reaches the highest limit of the level in an instance, if it goes on rising as it did: likely (early..late).",
		func(h *slo.APFHeadroom, _ time.Time) string {
			return exhaustion(h.Status.Exhaustion, h.Status.ObservationTime)
		}),
	utilization("Average Use", "Mean share of the current limit in use over the window, in the worst instance.",
		func(u *slo.SeatUtilization) string {
			if percent := cell.Percent(u.Average); percent != cell.Missing {
				return percent
			}
			return cell.Text(u.Average) // over the limit
		}),
	utilization("Full For", "Time in the window with more than 99% of the seats in use, in the worst instance.",
		func(u *slo.SeatUtilization) string { return cell.Milliseconds(u.SaturatedMilliseconds) }),
	worst("Peak", 1, "Most seats taken in any sample of the window in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.PeakExecutingSeats }),
	worst("Demand", 1, "Most seats taken or waited for in the window in the worst instance.",
		func(i *slo.InstanceSeats) *int64 { return i.PeakDemandSeats }),
	requests("Dispatched", 1, "Requests that got seats in the window, over all instances.",
		func(r *slo.RequestFigures) *int64 { return r.Dispatched }),
	define("Total Headroom", 1, "Seats left under the current limits, over all instances.",
		func(h *slo.APFHeadroom, _ time.Time) string {
			if h.Status.Total == nil {
				return cell.Missing
			}
			return cell.Count(h.Status.Total.HeadroomSeats)
		}),
	define("Instances", 1, "kube-apiservers that were read, of those expected.",
		func(h *slo.APFHeadroom, _ time.Time) string { return cell.Instances(h.Status.Instances) }),
	define("Busiest", 1, "Flow schema that took the most of the level in the window, over all instances.",
		func(h *slo.APFHeadroom, _ time.Time) string {
			if len(h.Status.FlowSchemas) == 0 {
				return cell.Missing
			}
			return h.Status.FlowSchemas[0].Name
		}),
	define("Sound", 1, "Status of the condition ConfigurationSound.",
		func(h *slo.APFHeadroom, _ time.Time) string {
			if c := meta.FindStatusCondition(h.Status.Conditions, slo.ConditionConfigurationSound); c != nil {
				return string(c.Status)
			}
			return cell.Missing
		}),
	define("Flow Schemas", 1, "Flow schemas that send requests to the level, in the order in which they are matched.",
		func(h *slo.APFHeadroom, _ time.Time) string {
			names := make([]string, 0, len(h.Spec.FlowSchemas))
			for _, f := range h.Spec.FlowSchemas {
				names = append(names, f.Name)
			}
			return cell.Text(strings.Join(names, ","))
		}),
}
