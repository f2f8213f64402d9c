// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Reasons of conditions. Those of DataComplete are named as on an APFHeadroom.
const (
	// ReasonAllInstancesObserved says that nothing is missing.
	ReasonAllInstancesObserved = "AllInstancesObserved"
	// ReasonSourceUnavailable says that there are no metrics at all.
	ReasonSourceUnavailable = "SourceUnavailable"
	// ReasonStale says that the metrics are old.
	ReasonStale = "Stale"
	// ReasonNoInstances says that no kube-apiserver was read.
	ReasonNoInstances = "NoInstances"
	// ReasonInstancesMissing says that a kube-apiserver was not read.
	ReasonInstancesMissing = "InstancesMissing"
	// ReasonTooFewInstances says that the cluster has more kube-apiservers than the source
	// knows.
	ReasonTooFewInstances = "TooFewInstances"
	// ReasonMetricMissing says that a kube-apiserver lacks a metric.
	ReasonMetricMissing = "MetricMissing"
	// ReasonWindowIncomplete says that the samples do not cover the window: a peak
	// may have been missed.
	ReasonWindowIncomplete = "WindowIncomplete"

	// ReasonNothingRejected says that all demand was seen.
	ReasonNothingRejected = "NothingRejected"
	// ReasonRequestsRejected says that the demand was higher than what was seen.
	ReasonRequestsRejected = "RequestsRejected"
	// ReasonWidthsChange says that the change makes requests wider or narrower than
	// they were when they were seen.
	ReasonWidthsChange = "WidthsChange"

	// ReasonLimitsAgree says that computed and reported limits are the same.
	ReasonLimitsAgree = "LimitsAgree"
	// ReasonLimitsDiffer says that they are not.
	ReasonLimitsDiffer = "LimitsDiffer"
	// ReasonNotCompared says that none could be compared.
	ReasonNotCompared = "NotCompared"
)

// maxNames bounds what a message or InstanceCounts.Missing enumerates.
const maxNames = 10

func condition(kind string, status metav1.ConditionStatus, reason, format string, args ...any) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func (s *simulation) dataComplete() metav1.Condition {
	incomplete := func(reason, format string, args ...any) metav1.Condition {
		return condition(v1alpha1.ConditionDataComplete, metav1.ConditionFalse, reason, format, args...)
	}
	unread := s.unread()
	switch {
	case s.Reading == nil:
		return incomplete(ReasonSourceUnavailable, "The source of the metrics does not answer: %v", s.Problem)
	case s.Problem != nil:
		return incomplete(ReasonStale, "The metrics are those of %s: %v", s.Reading.At.UTC().Format("15:04:05 UTC"), s.Problem)
	case len(s.observed) == 0:
		return incomplete(ReasonNoInstances, "no kube-apiserver was read")
	case len(unread) > 0:
		return incomplete(ReasonInstancesMissing, "not simulated, because it was not read: %s", enumerate(unread))
	case s.unlisted() > 0:
		return incomplete(ReasonTooFewInstances, "not simulated: %s", s.unlistedMessage())
	case len(s.lacking) > 0:
		return incomplete(ReasonMetricMissing, "not known: %s", enumerate(s.lacking))
	}
	for _, o := range s.observed {
		if !o.complete {
			return incomplete(ReasonWindowIncomplete, "%s was not read over the whole window: a peak may have been missed", o.Name)
		}
	}
	return condition(v1alpha1.ConditionDataComplete, metav1.ConditionTrue, ReasonAllInstancesObserved,
		"the demand of all levels was read from %d kube-apiservers%s", len(s.observed), s.gapMessage())
}

// period of an adjustment: a sample of the high watermark tells of the last one
// (apf_controller.go borrowingAdjustmentPeriod).
const period = 10 * time.Second

// gapMessage says where peaks may have been between samples, "" where none can.
func (s *simulation) gapMessage() string {
	var longest *observed
	for _, o := range s.observed {
		if o.gap > period && (longest == nil || o.gap > longest.gap) {
			longest = o
		}
	}
	if longest == nil {
		return ""
	}
	return fmt.Sprintf("; samples of %s are up to %s apart, and each tells of ten seconds or less: a peak between them is not seen",
		longest.Name, longest.gap.Round(time.Second))
}

func (s *simulation) demandComplete() metav1.Condition {
	const kind = v1alpha1.ConditionDemandComplete
	untold := s.untold()
	switch {
	case len(s.rejecting) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonRequestsRejected,
			"requests were rejected in the window, and count as no demand: %s", enumerate(s.rejecting))
	case len(s.observed) == 0 || len(s.unread()) > 0:
		return condition(kind, metav1.ConditionUnknown, ReasonInstancesMissing, "not every kube-apiserver was read")
	case s.unlisted() > 0:
		return condition(kind, metav1.ConditionUnknown, ReasonTooFewInstances, "whether requests were rejected is not known: %s", s.unlistedMessage())
	case len(untold) > 0:
		return condition(kind, metav1.ConditionUnknown, ReasonMetricMissing, "whether requests were rejected is not known: %s", enumerate(untold))
	case len(s.widened) > 0:
		return condition(kind, metav1.ConditionUnknown, ReasonWidthsChange,
			"no request was rejected in the window, but the change moves the limit of how wide one is: %s", enumerate(s.widened))
	default:
		return condition(kind, metav1.ConditionTrue, ReasonNothingRejected, "no request was rejected in the window")
	}
}

// untold are the levels, by instance, that do not tell their rejections. The metric
// of a healthy level has no series, so that it is for the headrooms to say whether
// its absence means zero.
func (s *simulation) untold() []string {
	var untold []string
	for i := range s.Headrooms {
		h := &s.Headrooms[i]
		for _, row := range h.Status.ByInstance {
			if row.RejectedRequests == nil && !exempt(&h.Spec) {
				untold = append(untold, h.Name+" on "+row.Instance)
			}
		}
	}
	return untold
}

func (s *simulation) arithmeticConfirmed() metav1.Condition {
	const kind = v1alpha1.ConditionArithmeticConfirmed
	switch {
	case len(s.differences) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonLimitsDiffer,
			"without the change, some limits are not as computed: %s. The configuration may have changed since the metrics were read, or a deleted level still drains; ask again",
			enumerate(s.differences))
	case s.confirmed == 0:
		return condition(kind, metav1.ConditionUnknown, ReasonNotCompared, "no limit could be computed and compared")
	default:
		return condition(kind, metav1.ConditionTrue, ReasonLimitsAgree,
			"without the change, all %d limits that the kube-apiservers report are as computed", s.confirmed)
	}
}

// confirm compares what was computed without the change with what is reported.
func (s *simulation) confirm(o *observed, d *division) {
	for i, l := range s.levels {
		computed := d.limits(i)
		if computed == nil {
			continue
		}
		compared := map[string]*int64{
			apf.NominalLimit: &computed.NominalSeats, apf.LowerLimit: &computed.MinimumSeats,
			apf.UpperLimit: &computed.MaximumSeats, apf.CurrentLimit: computed.CurrentLimitSeats,
		}
		for _, signal := range gauges {
			want := compared[signal]
			reported, known := o.level(l.name).seats(signal)
			switch {
			case want == nil || !known:
			case int64(reported) == *want:
				s.confirmed++
			default:
				s.differences = append(s.differences, fmt.Sprintf("%s of %s on %s is %d, computed %d",
					apf.Metric(signal), l.name, o.Name, reported, *want))
			}
		}
	}
}

// lack notes the metrics of signals as missing on an instance.
func (s *simulation) lack(o *observed, signals ...string) {
	for _, signal := range signals {
		if text := apf.Metric(signal) + " on " + o.Name; !slices.Contains(s.lacking, text) {
			s.lacking = append(s.lacking, text)
		}
	}
}

func enumerate(names []string) string {
	text := strings.Join(names[:min(len(names), maxNames)], ", ")
	if more := len(names) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
