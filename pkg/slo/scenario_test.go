// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

var update = flag.Bool("update", false, "rewrite the reports in testdata; explain the diff before you commit it")

// separator stands between what goes in and what comes out.
const separator = "\n---\n"

// TestScenarios evaluates every file in testdata: metrics in, reports out. The
// first line of a file says why it is there. parseScenario documents the input.
func TestScenarios(t *testing.T) {
	runScenarios(t, "testdata/*.txt", (*scenario).run)
}

// runScenarios wants of each file what stands in it below the separator.
func runScenarios(t *testing.T, pattern string, run func(*scenario, *testing.T) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), separator)
			s, err := parseScenario(input)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			got := run(s, t)
			if *update {
				if err := os.WriteFile(file, []byte(strings.TrimRight(input, "\n")+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", strings.SplitN(input, "\n", 2)[0], diff)
			}
		})
	}
}

func (s *scenario) run(t *testing.T) string {
	t.Helper()
	objectives, err := Catalog(DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	s.options.ResourcesProblem = s.resourcesProblem
	for _, report := range Evaluate(objectives, s.reading(), s.resources(), s.options) {
		if s.shows(report.Name) {
			printReport(&out, report, s.json, s.all)
		}
	}
	return out.String()
}

// printReport writes the status in a few lines, absent values as "-".
func printReport(out *strings.Builder, report v1alpha1.SLOReport, asJSON, all bool) {
	if asJSON {
		encoded, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			panic(err) // plain structs always encode
		}
		fmt.Fprintf(out, "%s\n", encoded)
		return
	}
	s := report.Status
	observed := "-"
	if s.ObservationTime != nil {
		observed = s.ObservationTime.UTC().Format("15:04:05")
	}
	fmt.Fprintf(out, "%s: %s\n", report.Name, s.Verdict)
	fmt.Fprintf(out, "  requests=%s slow=%s good=%s%s %s\n", number(s.Requests), number(s.SlowRequests), text(s.GoodRatio), marked(s.Interpolated), quantiles(s.Quantiles))
	fmt.Fprintf(out, "  observed=%s window=%ss instances=%d/%d missing=%v\n",
		observed, number(s.WindowSeconds), s.Instances.Observed, s.Instances.Expected, s.Instances.Missing)
	if s.Keys != nil {
		fmt.Fprintf(out, "  keys=%d violated=%d idle=%d\n", s.Keys.Total, s.Keys.Violated, s.Keys.Idle)
		for _, e := range s.Keys.Excluded {
			fmt.Fprintf(out, "  excluded %s: keys=%d requests=%d\n", e.Reason, e.Keys, e.Requests)
		}
	}
	for _, w := range s.Worst {
		k := key{w.Group, w.Resource, w.Subresource, w.Verb}
		fmt.Fprintf(out, "  worst %s: requests=%d slow=%d good=%s%s %s\n", text(k.String()), w.Requests, w.SlowRequests, w.GoodRatio, marked(w.Interpolated), quantiles(w.Quantiles))
	}
	around := []string{v1alpha1.ConditionDataSound, v1alpha1.ConditionIndicatorFaithful, v1alpha1.ConditionPromisesKept}
	for _, c := range s.Conditions {
		if !all && slices.Contains(around, c.Type) {
			continue
		}
		fmt.Fprintf(out, "  %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
}

// marked is a mark for what is interpolated.
func marked(interpolated bool) string {
	if interpolated {
		return " (interpolated)"
	}
	return ""
}

func quantiles(q v1alpha1.Quantiles) string {
	bucket := "-"
	if b := q.P99Bucket; b != nil {
		bucket = fmt.Sprintf("(%d,%s]", b.OverMilliseconds, number(b.UpToMilliseconds))
	}
	return fmt.Sprintf("p50=%s p90=%s p99=%s%s", number(q.P50Milliseconds), number(q.P90Milliseconds), number(q.P99Milliseconds), bucket)
}

func number(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func text(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
