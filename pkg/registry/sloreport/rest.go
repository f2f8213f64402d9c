// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sloreport serves SLOReports.
package sloreport

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// REST serves SLOReports.
type REST = computed.REST[slo.SLOReport, *slo.SLOReport]

// NewREST serves the reports of the provider.
func NewREST(provider computed.Provider[slo.SLOReport]) (*REST, error) {
	return NewRESTWithClock(provider, time.Now)
}

// NewRESTWithClock is NewREST with a clock for ages and refreshes.
func NewRESTWithClock(provider computed.Provider[slo.SLOReport], now func() time.Time) (*REST, error) {
	return computed.NewREST(computed.Kind[slo.SLOReport, *slo.SLOReport]{
		Resource:   slo.Resource("sloreports"),
		Singular:   "sloreport",
		ShortNames: []string{"slor"},
		Categories: []string{"slo"},
		List: func(meta metav1.ListMeta, items []slo.SLOReport) runtime.Object {
			return &slo.SLOReportList{ListMeta: meta, Items: items}
		},
		Items: func(list runtime.Object) ([]slo.SLOReport, bool) {
			l, ok := list.(*slo.SLOReportList)
			if !ok {
				return nil, false
			}
			return l.Items, true
		},
		Columns: columns,
		Changed: changed,
	}, provider, now)
}
