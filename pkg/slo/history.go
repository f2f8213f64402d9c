// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"maps"
	"slices"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// History is what has to be known of the past of a signal to judge those of the
// objectives that read it as Judge would have done then, whatever the instants.
func History(objectives []Objective, signal string) sources.History {
	h := sources.History{Signal: signal}
	for _, o := range objectives {
		if o.Signal != signal {
			continue
		}
		if o.Type == v1alpha1.IndicatorRatio {
			h.Labels = append(h.Labels, o.decisiveLabels()...)
		} else {
			h.Bounds = append(h.Bounds, o.thresholdSeconds())
		}
		h.Beside = append(h.Beside, o.beside()...)
	}
	slices.Sort(h.Bounds)
	slices.Sort(h.Labels)
	slices.Sort(h.Beside)
	h.Bounds, h.Labels, h.Beside = slices.Compact(h.Bounds), slices.Compact(h.Labels), slices.Compact(h.Beside)
	return h
}

// decisiveLabels are the labels of the signal on which the verdict on a Ratio rests:
// of which key a series is, whether it is selected, and good or bad.
func (o Objective) decisiveLabels() []string {
	labels := slices.Concat(o.Key, slices.Collect(maps.Keys(o.Good)), slices.Collect(maps.Keys(o.Bad)))
	if o.Verbs != nil {
		labels = append(labels, labelVerb)
	}
	if o.Scope != "" {
		labels = append(labels, labelScope)
	}
	return slices.DeleteFunc(labels, func(label string) bool { return !slices.Contains(o.Reads.Labels, label) })
}

// beside are the signals without which a verdict might be good that is not: they tell
// strangers from kube-apiservers, how many kubelets there are, and what the indicator
// leaves out.
func (o Objective) beside() []string {
	var names []string
	if o.Component == sources.Kubelet {
		if names = append(names, SignalObjects); o.Signal == SignalPodStartLatency {
			names = append(names, SignalKubeletBuildInfo)
		}
		return names
	}
	for _, signal := range sources.IdentitySignals() {
		names = append(names, signal.Name)
	}
	if o.mayHaveDryRuns() {
		names = append(names, SignalDryRuns)
	}
	return names
}
