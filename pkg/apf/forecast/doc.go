// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package forecast tells when the demand of a priority level reaches a limit, if it
// goes on rising as it did, and how early and how late that may be. It is pure: no
// clock, no I/O.
//
// What it is given is the smoothed demand of a kube-apiserver (k8s.io/apiserver
// v0.37.2 pkg/util/flowcontrol/apf_controller.go, seatDemandStats.update): every ten
// seconds max(envelope, 0.977 smoothed + 0.023 envelope), where envelope is the mean
// and the standard deviation of the seats taken or waited for in those ten seconds. It
// rises at once and falls by half in five minutes: while demand rises it follows, and
// on noise it is a maximum that decays.
//
// The method is a least squares line, with Fieller's interval for the time at which it
// crosses the limit (Fieller, Some problems in interval estimation, J. R. Stat. Soc. B
// 16 (1954)). The interval exists only where the slope is significant at the level of
// the band: a flat trend and a poor fit are one test. Residuals of a maximum that
// decays are correlated: as many samples count as independent ones would tell as much
// (see independent). That also rejects a step that is over, which is no trend.
//
// It assumes that
//
//   - demand goes on rising at the same rate. Growth that speeds up reaches the limit
//     before Early in many cases, a rise that ends never reaches it;
//   - the limit stays, and the demand is free to reach it. Requests that are rejected
//     are no demand: a level without queues that rejects shows less than is wanted;
//   - residuals are about as large in the future as they were. Demand of Poisson
//     arrivals deviates more when there is more of it.
//
// TestCalibration plays levels of known demand and prints how often the limit was
// reached between Early and Late.
package forecast
