// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

func TestCatalog(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	perResource := []string{"group", "resource", "subresource"}
	want := []struct {
		name, scope string
		threshold   time.Duration
		key         []string
	}{
		{"api-latency-mutating", "resource", time.Second, append(slices.Clone(perResource), "verb")},
		{"api-latency-readonly-cluster", "cluster", 30 * time.Second, perResource},
		{"api-latency-readonly-namespace", "namespace", 30 * time.Second, perResource},
		{"api-latency-readonly-resource", "resource", time.Second, perResource},
		{"pod-startup-latency", "", 5 * time.Second, nil},
	}
	if len(objectives) != len(want) {
		t.Fatalf("%d objectives, want %d", len(objectives), len(want))
	}
	for i, o := range objectives {
		if w := want[i]; o.Name != w.name || o.Scope != w.scope || o.Threshold != w.threshold || !cmp.Equal(o.Key, w.key) {
			t.Errorf("objective %d is %s %s %s %v, want %+v", i, o.Name, o.Scope, o.Threshold, o.Key, w)
		}
		if !o.Official || o.Percentile != 99 || o.Window != DefaultWindow || o.MinimumRequests != 100 || o.badMinutesAllowed() != 14 {
			t.Errorf("%s: %+v is not as upstream has it", o.Name, o)
		}
	}
}

func TestCatalogArguments(t *testing.T) {
	for _, test := range []struct {
		window          time.Duration
		minimumRequests int64
		want            string // part of the error; empty: none
	}{
		{time.Minute, 0, ""},
		{24 * time.Hour, 1, ""},
		{59 * time.Second, 100, "window 59s: must be whole seconds from 1m to 24h"},
		{24*time.Hour + time.Second, 100, "must be whole seconds from 1m to 24h"},
		{90*time.Second + time.Millisecond, 100, "window 1m30.001s: must be whole seconds"},
		{0, 100, "the official window is 5m"},
		{time.Minute, -1, "minimum requests -1: must not be negative"},
	} {
		_, err := Catalog(test.window, test.minimumRequests)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("window %s, minimum %d: error %v, want %q", test.window, test.minimumRequests, err, test.want)
		}
	}
}

// Every threshold is a bound of the histogram it is read from, or no verdict
// would ever be exact; and everything an objective selects is read.
func TestSignalsServeTheCatalog(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	bounds := map[string][]float64{SignalRequestLatency: requestBounds(), SignalPodStartLatency: podStartBounds()}
	for _, o := range objectives {
		i := slices.IndexFunc(Signals(), func(s sources.Signal) bool { return s.Name == o.Signal })
		if i < 0 {
			t.Fatalf("%s reads %s, which is no signal", o.Name, o.Signal)
		}
		signal := Signals()[i]
		if signal.Component != o.Component || signal.Kind != sources.Histogram || signal.PerInstance {
			t.Errorf("%s can not be read from %+v", o.Name, signal)
		}
		if !slices.Contains(bounds[o.Signal], o.Threshold.Seconds()) {
			t.Errorf("%s: the threshold %s is no bound of %s", o.Name, o.Threshold, o.Signal)
		}
		for _, label := range o.Key {
			if !slices.Contains(signal.Labels, label) {
				t.Errorf("%s is split by %s, which is not read", o.Name, label)
			}
		}
		for _, verb := range o.Verbs {
			if !slices.Contains(signal.Match["verb"], verb) || !slices.Contains(signal.Match["scope"], o.Scope) {
				t.Errorf("%s %s of %s is not read", verb, o.Scope, o.Name)
			}
		}
	}
}

func TestClass(t *testing.T) {
	classes := map[schema.GroupResource]Class{
		{Resource: "pods"}: BuiltIn,
		{Group: "gateway.networking.k8s.io", Resource: "gateways"}: Custom,
		{Group: "metrics.k8s.io", Resource: "pods"}:                BuiltIn, // as discovery would have it
	}
	aggregated := map[string]bool{"metrics.k8s.io": true}
	resources := NewResources(classes, aggregated)
	clear(classes) // the arguments were copied
	clear(aggregated)
	for resource, want := range map[string]Class{
		"pods": BuiltIn, "gateways.gateway.networking.k8s.io": Custom, "pods.metrics.k8s.io": Aggregated,
		"nodes.metrics.k8s.io": Aggregated, "widgets.example.com": UnknownClass,
	} {
		if got := resources.Class(schema.ParseGroupResource(resource)); got != want {
			t.Errorf("%s has class %d, want %d", resource, got, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(objectives)
	reports := Unknown(objectives, "SourceUnavailable", "connection refused")
	if !slices.IsSortedFunc(reports, func(a, b v1alpha1.SLOReport) int { return strings.Compare(a.Name, b.Name) }) || len(reports) != 5 {
		t.Errorf("not five reports sorted by name: %v", reports)
	}
	for _, report := range reports {
		want := v1alpha1.SLOReportStatus{
			Verdict: v1alpha1.VerdictUnknown,
			Day: &v1alpha1.DayMinutes{
				UnknownMinutes: 1440, BadMinutesAllowed: 14, BadMinutesLeft: 14,
				BurnRates: []v1alpha1.BurnRate{{WindowMinutes: 60}, {WindowMinutes: 360}},
			},
			Conditions: []metav1.Condition{
				{Type: "Met", Status: metav1.ConditionUnknown, Reason: "SourceUnavailable", Message: "connection refused"},
				{Type: "DataComplete", Status: metav1.ConditionFalse, Reason: "SourceUnavailable", Message: "connection refused"},
				{Type: "LowTraffic", Status: metav1.ConditionUnknown, Reason: "SourceUnavailable", Message: "connection refused"},
			},
		}
		if diff := cmp.Diff(want, report.Status); diff != "" {
			t.Errorf("%s (-want +got):\n%s", report.Name, diff)
		}
	}
}

// The reading and the objectives are shared: reports may not be a window on them.
func TestReportsShareNothing(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	series := []sources.Series{{
		Values:    []string{"", "pods", "", "PATCH", "resource"},
		Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{5.00001, 5}},
	}}
	reports := Evaluate(objectives, readingOf(series), NewResources(map[schema.GroupResource]Class{{Resource: "pods"}: BuiltIn}, nil), Options{})
	reports[0].Spec.Indicator.Key[0] = "changed"
	*reports[0].Status.P99Milliseconds = -1
	if objectives[0].Key[0] != "group" || series[0].Histogram.Counts[0] != 5.00001 || *reports[0].Status.Worst[0].P99Milliseconds == -1 {
		t.Error("a report shares memory with its objective, the reading or itself")
	}
}

// Conditions that the API machinery would reject in a stored object are rejected
// by clients of ours too (apimachinery pkg/apis/meta/v1: Condition).
func TestReasonsAreValid(t *testing.T) {
	valid := regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)
	for _, reason := range []string{
		ReasonAllKeysHold, ReasonKeysViolated, ReasonNoTraffic, ReasonAllInstancesObserved, ReasonNoInstances, ReasonInstancesMissing,
		ReasonWindowIncomplete, ReasonMetricMissing, ReasonHistogramInvalid, ReasonThresholdBucketMissing, ReasonResourcesUnknown,
		ReasonResourceUnclassified, ReasonLabelMissing, ReasonFewRequests, ReasonEnoughRequests,
	} {
		if !valid.MatchString(reason) {
			t.Errorf("%q is no reason", reason)
		}
	}
}
