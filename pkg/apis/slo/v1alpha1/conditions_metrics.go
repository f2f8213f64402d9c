// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types about what the figures are made from. Each has one reason, the
// gravest; the message says all there is. docs/conditions.md has every reason.
const (
	// ConditionDataSound is False when the figures may not be what they seem: another
	// server among the kube-apiservers, several processes behind one address, clocks
	// that differ, an answer that is partial. It is True otherwise, also where something
	// was found that does no harm; the reason says what.
	ConditionDataSound = "DataSound"
	// ConditionIndicatorFaithful is False when the metric holds something that the
	// indicator of SIG Scalability leaves out, or is interpolated; Unknown when that
	// depends on a version that is not known. The verdict is that of the metric.
	ConditionIndicatorFaithful = "IndicatorFaithful"
	// ConditionPromisesKept is False when the cluster is beyond the limits within which
	// Kubernetes promises its objectives: nodes, pods, objects and churn. It is True
	// when all that the metrics tell is within them, and Unknown when they do not tell.
	ConditionPromisesKept = "PromisesKept"
)
