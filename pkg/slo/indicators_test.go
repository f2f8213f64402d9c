// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

func noDays(string) Days { return Days{Whole: Day{Unknown: minutesPerDay}} }

// TestIndicatorScenarios is TestScenarios for the keys: testdata/indicators.
func TestIndicatorScenarios(t *testing.T) {
	runScenarios(t, "testdata/indicators/*.txt", (*scenario).indicators)
}

func (s *scenario) indicators(t *testing.T) string {
	t.Helper()
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	judged := Judge(objectives, s.reading(), s.resources(), Options{ResourcesProblem: s.resourcesProblem})
	var out strings.Builder
	for _, i := range Indicators(judged.Assessments, noDays) {
		if s.shows(i.Spec.Report) {
			printIndicator(&out, i)
		}
	}
	return out.String()
}

func printIndicator(out *strings.Builder, i v1alpha1.ServiceLevelIndicator) {
	s := i.Status
	fmt.Fprintf(out, "%s: %s %s\n", i.Name, s.Outcome, text(s.Reason))
	fmt.Fprintf(out, "  requests=%s slow=%s good=%s%s %s\n", number(s.Requests), number(s.SlowRequests), text(s.GoodRatio), marked(s.Interpolated), quantiles(s.Quantiles))
}

// What the ledger is told of a key is what its indicator says, and the indicators of
// the keys that count add up to the report.
func TestIndicatorsAgreeWithReports(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 8))
	for round := range rounds {
		judged := Judge(objectives, randomTraffic(random).reading(requestBounds()), builtInPods(), Options{})
		indicators := Indicators(judged.Assessments, noDays)
		if !slices.IsSortedFunc(indicators, func(a, b v1alpha1.ServiceLevelIndicator) int { return strings.Compare(a.Name, b.Name) }) {
			t.Fatalf("round %d: not sorted by name", round)
		}
		for _, report := range judged.Reports {
			if report.Status.Keys == nil {
				continue
			}
			var keys, violated, requests, slow int64
			for _, i := range indicators {
				if i.Spec.Report != report.Name || i.Status.Outcome == v1alpha1.OutcomeExcluded {
					continue
				}
				keys++
				requests += *i.Status.Requests
				slow += *i.Status.SlowRequests
				if i.Status.Outcome == v1alpha1.OutcomeViolated {
					violated++
				}
			}
			k := report.Status.Keys
			if keys != k.Total || violated != k.Violated || requests != *report.Status.Requests || slow != *report.Status.SlowRequests {
				t.Errorf("round %d: %s: %d keys, %d violated, %d of %d slow, the report has %d, %d, %d of %d", round, report.Name,
					keys, violated, slow, requests, k.Total, k.Violated, *report.Status.SlowRequests, *report.Status.Requests)
			}
		}
		for _, minute := range judged.Minutes {
			for _, v := range minute.Keys {
				i := slices.IndexFunc(indicators, func(i v1alpha1.ServiceLevelIndicator) bool {
					return i.Spec.Report == minute.Objective && Key{i.Spec.Group, i.Spec.Resource, i.Spec.Subresource, i.Spec.Verb} == v.Key
				})
				if i < 0 || string(indicators[i].Status.Outcome) != string(v.Verdict) {
					t.Errorf("round %d: %s %v: the ledger is told %s", round, minute.Objective, v.Key, v.Verdict)
				}
			}
		}
	}
}

func builtInPods() *Resources {
	s, err := parseScenario("# the classes of all scenarios")
	if err != nil {
		panic(err)
	}
	return s.resources()
}

// A key stays for as long as its day has judged minutes, whatever becomes of its
// series and of the source; an excluded key has no day.
func TestIndicatorsOfTheDay(t *testing.T) {
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseScenario("# pods and nodes\nclass widgets.example.com Custom\n" +
		"instance kube-apiserver a\nmetric api-request-latency " + metricRequestSLI + "\n" +
		"request PATCH resource pods 1000x0.1\nrequest PATCH resource widgets.example.com 1000x0.1\n")
	if err != nil {
		t.Fatal(err)
	}
	days := func(objective string) Days {
		if objective != APILatencyMutating {
			return noDays(objective)
		}
		return Days{Keys: []KeyDay{
			{Key{Resource: "configmaps", Verb: "PUT"}, Day{Good: 1, Unknown: 1439}},
			{Key{Resource: "nodes", Verb: "PATCH"}, Day{Bad: 3, Good: 1, Unknown: 1436, FirstBad: 1, LastBad: 3}},
			{Key{Resource: "pods", Verb: "PATCH"}, Day{Good: 1440}},
			{Key{Resource: "secrets", Verb: "PATCH"}, Day{Idle: 1, Unknown: 1439}},
		}}
	}
	describe := func(assessments []Assessment) map[string]string {
		got := map[string]string{}
		for _, i := range Indicators(assessments, days) {
			if i.Spec.Report != APILatencyMutating {
				continue
			}
			day := "-"
			if d := i.Status.Day; d != nil {
				day = fmt.Sprintf("%d good %d bad %s", d.GoodMinutes, d.BadMinutes, d.GoodRatio)
			}
			got[strings.TrimPrefix(i.Name, APILatencyMutating+".")] = fmt.Sprintf("%s %s %s; %s", i.Status.Outcome, text(i.Status.Reason), number(i.Status.Requests), day)
		}
		return got
	}
	judged := Judge(objectives, s.reading(), s.resources(), Options{})
	if diff := cmp.Diff(map[string]string{
		"put.configmaps":            "NoTraffic - 0; 1 good 0 bad 1",
		"patch.nodes":               "NoTraffic - 0; 1 good 3 bad 0.25",
		"patch.pods":                "Met - 1000; 1440 good 0 bad 1",
		"patch.secrets":             "NoTraffic - 0; -",
		"patch.widgets.example.com": "Excluded CustomResource 1000; -",
	}, describe(judged.Assessments)); diff != "" {
		t.Errorf("with a reading (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{
		"put.configmaps": "Unknown SourceUnavailable -; 1 good 0 bad 1",
		"patch.nodes":    "Unknown SourceUnavailable -; 1 good 3 bad 0.25",
		"patch.pods":     "Unknown SourceUnavailable -; 1440 good 0 bad 1",
		"patch.secrets":  "Unknown SourceUnavailable -; -",
	}, describe(Unassessed(objectives, "SourceUnavailable"))); diff != "" {
		t.Errorf("without a reading (-want +got):\n%s", diff)
	}
}

// What is for information is shown as far as it was read: the report does, and so do
// its keys.
func TestInformationalIndicatorsOfWhatWasRead(t *testing.T) {
	o := defined(t, "watch-latency", "profiles: [informational]\n")
	reading := readingOf(nil)
	reading.Instances = append(reading.Instances, sources.Instance{Component: sources.KubeAPIServer, Name: "b", Problem: "down"})
	reading.Results[o.Signal] = sources.Result{Metrics: o.Reads.Metrics, Series: []sources.Series{
		{Values: []string{"", "nodes"}, Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{0, 0}}},
		{Values: []string{"", "pods"}, Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{5, 10}}},
	}}
	judged := Judge([]Objective{o}, reading, nil, Options{})
	indicators := Indicators(judged.Assessments, noDays)
	report, idle, read := judged.Reports[0].Status.Verdict, indicators[0].Status, indicators[1].Status
	if report != v1alpha1.VerdictInformational || read.Outcome != v1alpha1.OutcomeInformational || read.Reason != "" {
		t.Errorf("the report is %s and its key %s %s, want both Informational", report, read.Outcome, read.Reason)
	}
	if idle.Outcome != v1alpha1.OutcomeUnknown || idle.Reason != ReasonInstancesMissing {
		t.Errorf("no request as far as it was read: %s %s, want Unknown %s", idle.Outcome, idle.Reason, ReasonInstancesMissing)
	}
}
