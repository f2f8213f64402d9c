// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package computed

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConditionState is the part of a condition whose change is news. The message
// holds counts, which change with every evaluation.
type ConditionState struct {
	Type   string
	Status metav1.ConditionStatus
	Reason string
}

// ConditionStates returns the states of conditions, in their order.
func ConditionStates(conditions []metav1.Condition) []ConditionState {
	states := make([]ConditionState, 0, len(conditions))
	for _, c := range conditions {
		states = append(states, ConditionState{Type: c.Type, Status: c.Status, Reason: c.Reason})
	}
	return states
}
