// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package evidence says what figures were made from: which metric and why that one,
// by the vocabulary of the versions of Kubernetes, where it was read, and how anybody
// can repeat it. It is pure: the same reading always gives the same evidence.
package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

const (
	// mostTargets and mostWarnings bound v1alpha1.Evidence: names are of a cluster of
	// any size.
	mostTargets  = 10
	mostWarnings = 10
	// longestWarning in bytes.
	longestWarning = 300
)

// Of the instances of a component, without signals and figures; nil when none was
// read. Warnings are those that concern the figures.
func Of(reading *sources.Reading, component sources.Component, warnings []sources.Warning) *v1alpha1.Evidence {
	e := &v1alpha1.Evidence{
		Source:         v1alpha1.MetricsSource(reading.Origin.Kind),
		Address:        reading.Origin.Address,
		Rule:           v1alpha1.IncreaseRule(reading.Rule),
		EvaluationTime: micro(reading.At),
		Warnings:       bounded(warnings),
	}
	var newest time.Time
	for _, i := range reading.Instances {
		if i.Component != component || !i.Observed {
			continue
		}
		if i.Last.After(newest) {
			newest = i.Last
		}
		e.Targets = append(e.Targets, target(i, reading))
	}
	if newest.IsZero() {
		return nil
	}
	slices.SortFunc(e.Targets, func(a, b v1alpha1.TargetEvidence) int { return strings.Compare(a.Instance, b.Instance) })
	if omitted := int64(len(e.Targets) - mostTargets); omitted > 0 {
		e.TargetsOmitted = &omitted
		e.Targets = slices.Clone(e.Targets[:mostTargets])
	}
	sample, age := micro(newest), int64(reading.At.Sub(newest)/time.Second)
	e.NewestSampleTime, e.AgeSeconds = &sample, &age
	return e
}

func target(i sources.Instance, reading *sources.Reading) v1alpha1.TargetEvidence {
	t := v1alpha1.TargetEvidence{Instance: i.Name, URL: i.URL, FirstSampleTime: micro(i.First), LastSampleTime: micro(i.Last)}
	if i.Started.After(reading.At.Add(-reading.Window)) {
		started := micro(i.Started)
		t.StartTime = &started
	}
	return t
}

// micro is a time as it goes out, cut to the millisecond that queries are sent with.
func micro(t time.Time) metav1.MicroTime {
	return metav1.NewMicroTime(t.UTC().Truncate(time.Millisecond))
}

func bounded(warnings []sources.Warning) []string {
	var texts []string
	for _, w := range warnings {
		text := w.Message
		if len(text) > longestWarning {
			text = strings.ToValidUTF8(text[:longestWarning], "") + "..."
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if more := len(texts) - mostWarnings; more > 0 {
		texts = append(texts[:mostWarnings-1:mostWarnings-1], fmt.Sprintf("%d more warnings", more+1))
	}
	return texts
}

// Signal says what a signal was read from; series is the number of label sets that
// were used of it.
func Signal(signal sources.Signal, result sources.Result, series int) v1alpha1.SignalEvidence {
	e := v1alpha1.SignalEvidence{Name: signal.Name, Series: int64(series)}
	for _, metric := range signal.Names() {
		if slices.Contains(result.Metrics, metric) {
			e.Metrics = append(e.Metrics, metric)
		}
	}
	e.Reason, e.Message = why(signal, e.Metrics)
	return e
}

// Queries as they were sent for a signal, and how many are too long to be shown, nil for
// none: they may name each of thousands of instances that are silent or new.
func Queries(result sources.Result) (queries []v1alpha1.QueryEvidence, omitted *int64) {
	for _, q := range result.Queries {
		if len(q.PromQL) <= longestExpression {
			queries = append(queries, v1alpha1.QueryEvidence{Role: string(q.Role), Query: q.PromQL})
		}
	}
	if n := int64(len(result.Queries) - len(queries)); n > 0 {
		omitted = &n
	}
	return queries, omitted
}

// why these metrics, in the order of preference, and what that costs.
func why(signal sources.Signal, metrics []string) (v1alpha1.MetricReason, string) {
	switch {
	case len(metrics) == 0:
		return v1alpha1.MetricNone, "there is no " + alternatives(signal.Metrics)
	case len(metrics) > 1:
		return v1alpha1.MetricMixedVersions, "some instances have " + listed(metrics)
	case metrics[0] == signal.Metrics[0]:
		return v1alpha1.MetricPreferred, ""
	}
	before := signal.Names()[:slices.Index(signal.Names(), metrics[0])]
	return v1alpha1.MetricFallback, "there is no " + alternatives(before)
}

// alternatives that are not there: what they are and what is lost without the first.
func alternatives(metrics []string) string {
	named := make([]string, len(metrics))
	for i, name := range metrics {
		named[i] = versioned(name)
	}
	text := strings.Join(named, " or ")
	if m, known := Lookup(metrics[0]); known && m.Without != "" {
		text += "; without it: " + m.Without
	}
	return text
}

func listed(metrics []string) string {
	named := make([]string, len(metrics))
	for i, name := range metrics {
		named[i] = versioned(name)
	}
	return strings.Join(named, " and others ")
}

// versioned is a metric with its versions, as far as they are known.
func versioned(name string) string {
	if m, known := Lookup(name); known {
		return fmt.Sprintf("%s (%s)", name, m.Versions())
	}
	return name
}
