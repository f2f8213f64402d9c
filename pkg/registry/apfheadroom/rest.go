// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apfheadroom serves APFHeadrooms.
package apfheadroom

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/computed"
)

// REST serves APFHeadrooms.
type REST = computed.REST[slo.APFHeadroom, *slo.APFHeadroom]

// NewREST serves the headrooms of the provider.
func NewREST(provider computed.Provider[slo.APFHeadroom]) (*REST, error) {
	return NewRESTWithClock(provider, time.Now)
}

// NewRESTWithClock is NewREST with a clock for ages and refreshes.
func NewRESTWithClock(provider computed.Provider[slo.APFHeadroom], now func() time.Time) (*REST, error) {
	return computed.NewREST(computed.Kind[slo.APFHeadroom, *slo.APFHeadroom]{
		Resource:   slo.Resource("apfheadrooms"),
		Singular:   "apfheadroom",
		ShortNames: []string{"apfh"},
		Categories: []string{"slo"},
		List: func(meta metav1.ListMeta, items []slo.APFHeadroom) runtime.Object {
			return &slo.APFHeadroomList{ListMeta: meta, Items: items}
		},
		Items: func(list runtime.Object) ([]slo.APFHeadroom, bool) {
			l, ok := list.(*slo.APFHeadroomList)
			if !ok {
				return nil, false
			}
			return l.Items, true
		},
		Columns: columns,
		Changed: changed,
	}, provider, now)
}
