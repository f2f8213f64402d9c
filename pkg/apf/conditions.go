// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Reasons of the condition HasHeadroom. When it is Unknown the reason is that of
// DataComplete.
const (
	// ReasonSeatsAvailable says that every instance has a free seat and turned
	// nobody away.
	ReasonSeatsAvailable = "SeatsAvailable"
	// ReasonExempt says that the level has no limit.
	ReasonExempt = "Exempt"
	// ReasonRejecting says that requests were turned away.
	ReasonRejecting = "Rejecting"
	// ReasonQueueing says that requests wait or waited long.
	ReasonQueueing = "Queueing"
	// ReasonNoSeats says that all seats of an instance are taken or lent.
	ReasonNoSeats = "NoSeats"
)

// Reasons of the condition DataComplete.
const (
	// ReasonAllInstancesObserved says that nothing is missing.
	ReasonAllInstancesObserved = "AllInstancesObserved"
	// ReasonNoInstances says that no kube-apiserver was read.
	ReasonNoInstances = "NoInstances"
	// ReasonInstancesMissing says that a kube-apiserver was not read.
	ReasonInstancesMissing = "InstancesMissing"
	// ReasonTooFewInstances says that the cluster has more kube-apiservers than the source
	// knows.
	ReasonTooFewInstances = "TooFewInstances"
	// ReasonMetricMissing says that a kube-apiserver lacks a metric.
	ReasonMetricMissing = "MetricMissing"
	// ReasonWindowIncomplete says that the samples do not cover the window.
	ReasonWindowIncomplete = "WindowIncomplete"
)

// ReasonNoFindings says that DataSound is True: nothing speaks against the figures. All other
// reasons of DataSound are those of package sources; HasHeadroom is Unknown for one of
// them where the figures can not be relied on.
const ReasonNoFindings = "NoFindings"

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

// hasHeadroom is False as soon as one instance shows it, True only when all do.
func hasHeadroom(s *survey, rows []*row, complete metav1.Condition) metav1.Condition {
	missing := s.isShort()
	answer := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionHasHeadroom, status, reason, message+unevenMessage(rows)+exhaustionMessage(rows))
	}
	least := tightest(rows)
	switch overall(rows, missing) {
	case v1alpha1.PressureUnlimited:
		return answer(metav1.ConditionTrue, ReasonExempt, "requests of an exempt level are never throttled")
	case v1alpha1.PressureRejecting:
		return answer(metav1.ConditionFalse, ReasonRejecting, rejectingMessage(worst(rows)))
	case v1alpha1.PressureQueueing:
		return answer(metav1.ConditionFalse, ReasonQueueing, queueingMessage(worst(rows)))
	case v1alpha1.PressureIdle, v1alpha1.PressureOk, v1alpha1.PressureUnknown:
	}
	switch {
	case least != nil && *least.HeadroomSeats <= 0:
		return answer(metav1.ConditionFalse, ReasonNoSeats, noSeatsMessage(least))
	case s.refused != nil && least != nil:
		return answer(metav1.ConditionUnknown, string(s.refused.Reason), seatsMessage(rows)+"; "+s.refused.Message)
	case complete.Status == metav1.ConditionTrue:
		return answer(metav1.ConditionTrue, ReasonSeatsAvailable, seatsMessage(rows))
	case least != nil:
		return answer(metav1.ConditionUnknown, complete.Reason, seatsMessage(rows)+"; "+complete.Message)
	default:
		return answer(metav1.ConditionUnknown, complete.Reason, complete.Message)
	}
}

// dataSound says what speaks against the figures.
func dataSound(s *survey) metav1.Condition {
	reason, message, harmless := sources.Summary(s.findings)
	switch {
	case reason == "":
		return condition(v1alpha1.ConditionDataSound, metav1.ConditionTrue, ReasonNoFindings, "nothing speaks against the figures")
	case harmless:
		return condition(v1alpha1.ConditionDataSound, metav1.ConditionTrue, string(reason), message)
	}
	return condition(v1alpha1.ConditionDataSound, metav1.ConditionFalse, string(reason), message)
}

// dataComplete names the gravest gap only.
func dataComplete(s *survey, rows []*row) metav1.Condition {
	answer := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionDataComplete, status, reason, message+gapsMessage(rows))
	}
	var lacking, short []*row
	for _, r := range rows {
		if len(r.missing) > 0 {
			lacking = append(lacking, r)
		}
		if !r.instance.complete {
			short = append(short, r)
		}
	}
	switch {
	case len(s.observed)+len(s.missing) == 0:
		return answer(metav1.ConditionFalse, ReasonNoInstances, "no kube-apiserver is known")
	case len(s.observed) == 0:
		return answer(metav1.ConditionFalse, ReasonNoInstances, s.missingMessage())
	case len(s.missing) > 0:
		return answer(metav1.ConditionFalse, ReasonInstancesMissing, s.missingMessage())
	case s.unlisted > 0:
		return answer(metav1.ConditionFalse, ReasonTooFewInstances, s.unlistedMessage())
	case len(lacking) > 0:
		return answer(metav1.ConditionFalse, ReasonMetricMissing, lackingMessage(lacking))
	case len(short) > 0:
		return answer(metav1.ConditionFalse, ReasonWindowIncomplete, s.shortMessage(short))
	default:
		return answer(metav1.ConditionTrue, ReasonAllInstancesObserved, s.completeMessage())
	}
}
