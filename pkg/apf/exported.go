// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import "example.io/slo-apiserver/pkg/sources"

// Names of the signals in a Reading that simulations, and reports on latencies, look
// at, too. They are
// declared, with all others, in the catalog, so that they are read once.
const (
	NominalLimit     = nominalLimit
	LowerLimit       = lowerLimit
	UpperLimit       = upperLimit
	CurrentLimit     = currentLimit
	PeakDemand       = peakDemand
	SmoothedDemand   = smoothedDemand
	RejectedRequests = rejected

	DispatchedRequests = dispatched
	WaitDurations      = waits
)

// Declared is the declaration of a signal of this package.
func Declared(signal string) sources.Signal { return declared(signal).Signal }

// Metric is what a signal of this package is called by kube-apiservers of today.
func Metric(signal string) string { return declared(signal).Metrics[0] }
