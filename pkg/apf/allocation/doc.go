// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package allocation computes how a kube-apiserver divides its seats between
// priority levels. It is pure arithmetic, written from what k8s.io/apiserver
// v0.37.2 pkg/util/flowcontrol does (apf_controller.go, conc_alloc.go; KEP-1040),
// and compared with that controller itself by TestControllerAgrees.
//
// There are two steps. Configure turns the shares and percentages of all levels
// into the bounds of each; it follows every change of a PriorityLevelConfiguration.
// Adjust moves the limits between the bounds as the demand asks; it follows
// Configure at once, and then comes every ten seconds.
//
// What is easily missed:
//
//   - Nominal limits are rounded up, and may add up to more than the concurrency
//     limit of the server. What Adjust divides is that sum, not the server's limit.
//   - Lendable and borrowable seats are taken of the rounded nominal limit, and
//     rounded half away from zero.
//   - An exempt level has shares (none by default) and bounds. Its limit binds
//     nobody, but counts: seats it demands are subtracted before it is decided
//     whether the minimum of the others still fits. They are not subtracted from
//     what is then divided: all limits together may exceed the sum of nominal ones.
//   - A missing mandatory level (exempt, catch-all) is put in place by the
//     kube-apiserver with its default: leaving it out here changes the answer.
//   - A level that was deleted takes part until its queues have drained.
//   - Borrowing limits may be so low that nobody can take what is left over, as
//     when no level may borrow and the exempt one has shares. The limits then stay
//     as they were. No cluster gets there: the specification of catch-all is fixed,
//     without a borrowing limit, so that it can take all there is.
//   - With 0 shares a level has a nominal limit of 0, and can only borrow.
package allocation
