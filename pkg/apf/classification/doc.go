// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package classification tells how API Priority & Fairness treats a request: the
// flow schema that matches it, the priority level, the seats it takes and the
// queues it may wait in.
//
// It does what the filter of a kube-apiserver does (k8s.io/apiserver
// pkg/util/flowcontrol), on the same objects, without running anything. Where that
// code is exported it is called: the parsing of requests, the estimate of widths,
// shuffle sharding, the mandatory objects. Its matching and its digest of the
// configuration are not exported; they are written anew here, and the tests hold
// them against the real controller.
package classification
