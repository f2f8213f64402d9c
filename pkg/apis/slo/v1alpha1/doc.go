// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// +k8s:openapi-gen=true
// +k8s:deepcopy-gen=package
// +k8s:openapi-model-package=io.example.slo.v1alpha1
// +groupName=slo.example.io

// Package v1alpha1 is the vocabulary of slo-apiserver: what a service level
// objective of the cluster and the headroom of an API Priority & Fairness
// priority level look like on the wire. All kinds are cluster-scoped and computed on
// demand; reviews can only be created, all others only be read, and nothing is stored.
//
// Numbers are integers with their unit in the field name. A ratio is a decimal
// string in [0,1] of up to six digits. A value that is not known is absent, with
// a condition that says why; it is never zero.
package v1alpha1 // import "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
