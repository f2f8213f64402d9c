// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"fmt"
	"iter"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// conditions yields the conditions of every object, by its kind and name. They
// may be changed in place until the evaluation is published.
func (e *Evaluation) conditions() iter.Seq2[string, []metav1.Condition] {
	return func(yield func(string, []metav1.Condition) bool) {
		for i := range e.Reports {
			if !yield("sloreport/"+e.Reports[i].Name, e.Reports[i].Status.Conditions) {
				return
			}
		}
		for i := range e.Headrooms {
			if !yield("apfheadroom/"+e.Headrooms[i].Name, e.Headrooms[i].Status.Conditions) {
				return
			}
		}
	}
}

// markStale says that the figures are those of a reading at a time in the past.
func (e *Evaluation) markStale(at time.Time, problem error) {
	for _, conditions := range e.conditions() {
		if condition := meta.FindStatusCondition(conditions, v1alpha1.ConditionDataComplete); condition != nil {
			condition.Status = metav1.ConditionFalse
			condition.Reason = ReasonStale
			condition.Message = fmt.Sprintf("The figures are those of %s, since the source does not answer: %v",
				at.UTC().Format(time.RFC3339), problem)
		}
	}
}

// carryTransitions keeps the transition time of every condition whose status is
// that of the evaluation before; the others changed now.
func (e *Evaluation) carryTransitions(last *Evaluation) {
	before := maps.Collect(last.conditions())
	// As the API encodes it, so that the object does not change on its way.
	now := metav1.NewTime(e.Time.Truncate(time.Second))
	for object, conditions := range e.conditions() {
		for i := range conditions {
			conditions[i].LastTransitionTime = now
			was := meta.FindStatusCondition(before[object], conditions[i].Type)
			if was != nil && was.Status == conditions[i].Status {
				conditions[i].LastTransitionTime = was.LastTransitionTime
			}
		}
	}
}
