// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package simulation says what a change of priority levels would do: it replays
// what every kube-apiserver does with its seats, by package allocation, on the
// demand that was last observed. It is pure.
//
// The same arithmetic is done twice, without and with the change, so that the
// difference is that of the change alone. What it gives without the change is also
// compared with what the kube-apiservers report: when that differs, the condition
// ArithmeticConfirmed says so, and the prediction is not to be trusted.
//
// The prediction assumes that demand does not change. It will: requests that now
// wait in a queue count as demand and go when there are seats, and those that were
// rejected were never counted. So nothing is said about numbers of rejected
// requests, only how the peak that was seen would fit, and where requests were
// rejected, or may have been, only what is certain all the same.
package simulation
