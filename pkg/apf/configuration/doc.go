// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package configuration judges the objects that configure API Priority & Fairness:
// what can not be meant as it stands, and where an operator should hear of it. It is
// pure, and knows no metrics.
//
// It accuses nobody without proof. A flow schema is shadowed only where every one of
// its rules is covered by a single rule of an earlier one, subject by subject, as
// k8s.io/apiserver pkg/util/flowcontrol/rule.go compares them. Groups cover no users
// and no service accounts: who impersonates may leave them out. What a judgement costs
// is bounded; what is not judged for that is called unknown.
//
// Mandatory objects are compared with those of the version that this package was
// built with; they are the same since Kubernetes 1.20 (k8s.io/apiserver
// pkg/apis/flowcontrol/bootstrap). Suggested objects change from one version to the
// next, and a kube-apiserver keeps them up to date itself: only those that it was told
// to leave alone are compared, and to differ is no fault.
//
// A mandatory object that is missing is no finding: a kube-apiserver acts as if it was
// there (apf_controller.go lockAndDigestConfigObjects) and makes it again within a
// minute.
package configuration
