// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Events that the indicator leaves out and the metric does not may be the fast ones, and
// hide that of the others too many are slow. Where nothing tells how many there are, a
// key holds for sure only as long as none of its events is slow.

// leftOut is the reason for which any of an objective's events may be such; "" where none
// is, or how many are is known. It is not known of a reading without the signals that
// would tell: there the verdict is that of the metric.
func (c *circumstances) leftOut(o Objective, dryRunsKnown bool) string {
	asked := func(signal string) bool {
		_, is := c.reading.Results[signal]
		return is
	}
	switch {
	case o.Type == v1alpha1.IndicatorRatio || o.ownSignal:
	case o.Signal == SignalPodStartLatency && asked(SignalKubeletBuildInfo):
		switch {
		case slices.ContainsFunc(c.kubelets, release.statefulPodsIncluded):
			return ReasonStatefulPodsIncluded
		case !c.kubeletsTell():
			return ReasonVersionUnknown
		}
	case o.Signal == SignalRequestLatency && asked(SignalDryRuns) && !dryRunsKnown:
		first, known := oldest(c.apiservers)
		if known && first.dryRunsIncluded() || slices.Contains(c.reading.Results[o.Signal].Metrics, metricRequestSLO) {
			return ReasonDryRunsIncluded
		}
		return ReasonVersionUnknown
	}
	return ""
}

// leavesDryRunsOut says that all kube-apiservers are known to leave dry runs out.
func (c *circumstances) leavesDryRunsOut() bool {
	first, known := oldest(c.apiservers)
	return known && !first.dryRunsIncluded() && c.apiserversTell()
}

// apiserversTell says that every kube-apiserver that was read tells its version.
func (c *circumstances) apiserversTell() bool {
	telling := map[string]bool{}
	for _, s := range c.reading.Results[sources.SignalBuildInfo].Series {
		if _, known := releaseOf(s); known {
			telling[s.Instance] = true
		}
	}
	return !slices.ContainsFunc(c.reading.Instances, func(i sources.Instance) bool {
		return i.Component == sources.KubeAPIServer && i.Observed && !telling[i.Name]
	})
}

// kubeletsTell says that as many kubelets tell their version as were read.
func (c *circumstances) kubeletsTell() bool {
	silent := 0.0
	for _, i := range c.reading.Instances {
		if i.Component == sources.Kubelet && i.Observed {
			silent++
		}
	}
	for _, s := range c.reading.Results[SignalKubeletBuildInfo].Series {
		if _, known := releaseOf(s); known {
			silent -= s.Last
		}
	}
	return silent <= 0
}

// releaseOf a series of kubernetes_build_info, whose value counts the instances.
func releaseOf(s sources.Series) (release, bool) {
	if len(s.Values) != 1 || !(s.Last > 0) {
		return release{}, false
	}
	return parseRelease(s.Values[0])
}
