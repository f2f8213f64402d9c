// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfheadroom

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/cell"
)

// exhaustion shows a forecast as times from the observation on: 12m (8m..21m), or
// 12m (8m..) when the late one is beyond what is told. It does not count down between
// two evaluations: the forecast is as old as its samples, and AGE says how old.
func exhaustion(e *slo.Exhaustion, observed *metav1.Time) string {
	if e == nil || observed.IsZero() {
		return cell.Missing
	}
	in := func(t metav1.Time) string { return duration.HumanDuration(max(0, t.Sub(observed.Time))) }
	late := ""
	if e.LateTime != nil {
		late = in(*e.LateTime)
	}
	return fmt.Sprintf("%s (%s..%s)", in(e.LikelyTime), in(e.EarlyTime), late)
}
