// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is done to a clone is not seen by the original.
func TestCloneSharesNothing(t *testing.T) {
	catalog, err := Load("objectives.yaml", []byte(`apiVersion: config.slo.example.io/v1alpha1
kind: ObjectiveCatalog
profiles: [legacy]
objectives:
- name: api-latency-mutating
  minimumRequests: 5
  exclude:
  - resource: leases
- name: availability
  description: Answers that are no errors
  signal: api-requests
  bad:
    code: [5xx]
  goodRatio: "0.999"
`))
	if err != nil {
		t.Fatal(err)
	}
	spoilt := catalog.Clone()
	want := catalog.Clone()
	if diff := cmp.Diff(catalog, want); diff != "" {
		t.Errorf("clone (-original +clone):\n%s", diff)
	}
	spoil(reflect.ValueOf(spoilt))
	if diff := cmp.Diff(want, catalog); diff != "" {
		t.Errorf("after the clone was spoilt (-want +got):\n%s", diff)
	}
}

// spoil everything that can be reached from v.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			spoil(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			spoil(v.MapIndex(key)) // what it refers to
		}
		v.Clear()
	default:
		if v.CanSet() {
			v.SetZero()
		}
	}
}
