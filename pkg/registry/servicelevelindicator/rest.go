// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package servicelevelindicator serves ServiceLevelIndicators.
package servicelevelindicator

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// REST serves ServiceLevelIndicators.
type REST = computed.REST[slo.ServiceLevelIndicator, *slo.ServiceLevelIndicator]

// NewREST serves the indicators of the provider.
func NewREST(provider computed.Provider[slo.ServiceLevelIndicator]) (*REST, error) {
	return NewRESTWithClock(provider, time.Now)
}

// NewRESTWithClock is NewREST with a clock for ages and refreshes.
func NewRESTWithClock(provider computed.Provider[slo.ServiceLevelIndicator], now func() time.Time) (*REST, error) {
	return computed.NewREST(computed.Kind[slo.ServiceLevelIndicator, *slo.ServiceLevelIndicator]{
		Resource:   slo.Resource("servicelevelindicators"),
		Singular:   "servicelevelindicator",
		ShortNames: []string{"sli"},
		// Not of the category slo: hundreds of rows would hide the reports.
		List: func(meta metav1.ListMeta, items []slo.ServiceLevelIndicator) runtime.Object {
			return &slo.ServiceLevelIndicatorList{ListMeta: meta, Items: items}
		},
		Items: func(list runtime.Object) ([]slo.ServiceLevelIndicator, bool) {
			l, ok := list.(*slo.ServiceLevelIndicatorList)
			if !ok {
				return nil, false
			}
			return l.Items, true
		},
		Columns: columns,
		Changed: changed,
	}, provider, now)
}

// changed reports whether the outcome of a key is another one, or another reason.
// What it is held to is part of that: figures, of which there are many and which
// always move, come with the refresh.
func changed(before, after *slo.ServiceLevelIndicator) bool {
	return before.Status.Outcome != after.Status.Outcome ||
		before.Status.Reason != after.Status.Reason ||
		before.Spec != after.Spec
}
