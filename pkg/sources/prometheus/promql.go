// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// Queries are put together from parts that are each valid by themselves: names
// checked by New, and values that went through quote.

// quote writes a PromQL string. PromQL reads double-quoted strings as Go does
// (https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals).
func quote(value string) string {
	return strconv.Quote(value)
}

// oneOf is a matcher for a label that has one of the values.
func oneOf(label string, values []string) string {
	return sources.Matcher{Label: label, Values: values}.String()
}

// noneOf is a matcher for a label that has none of the values.
func noneOf(label string, values []string) string {
	return sources.Matcher{Label: label, Values: values, Not: true}.String()
}

// kubeletPath leaves out what a kubelet exposes besides its own metrics, such as
// /metrics/cadvisor: kube-prometheus-stack scrapes them under one job and tells
// them apart by this label. Other setups do not have it.
const kubeletPath = `metrics_path=~"|/metrics"`

// matchers of everything that belongs to a component, but for its job.
func (c Config) matchers(component sources.Component) []string {
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(c.Match)) {
		matchers = append(matchers, oneOf(name, []string{c.Match[name]}))
	}
	if _, set := c.Match["metrics_path"]; component == sources.Kubelet && !set {
		matchers = append(matchers, kubeletPath)
	}
	return matchers
}

// job is the matcher of the scrape jobs of a component.
func (c Config) job(component sources.Component) string {
	if component == sources.Kubelet {
		return "job=~" + quote(c.KubeletJob)
	}
	return "job=~" + quote(c.APIServerJob)
}

// selector of a metric. Metrics with the same labels of other names are not
// touched, so that the engine looks up no more than it must.
func selector(metric string, matchers ...[]string) string {
	return metric + "{" + strings.Join(slices.Concat(matchers...), ",") + "}"
}

// signalMatchers are those of the signal's own declaration.
func signalMatchers(signal sources.Signal) []string {
	return texts(signal.Matchers())
}

// texts of the matchers of a selection.
func texts(selection sources.Selection) []string {
	matchers := make([]string, len(selection))
	for i, m := range selection {
		matchers[i] = m.String()
	}
	return matchers
}

// instanceLabels are those that name an instance.
func instanceLabels(component sources.Component) []string {
	if component == sources.Kubelet {
		return []string{"instance", "node"}
	}
	return []string{"instance"}
}

// atStart is a range of what there was at the start of the window, for last_over_time.
func atStart(window time.Duration) string {
	return "[" + duration(before) + "] offset " + duration(window)
}

// duration writes a PromQL duration, to the millisecond.
func duration(d time.Duration) string { return sources.Duration(d) }
