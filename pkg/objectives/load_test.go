// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const header = "apiVersion: " + APIVersion + "\nkind: " + Kind + "\n"

func loadBody(t *testing.T, body string) *Catalog {
	t.Helper()
	catalog, err := Load("test.yaml", []byte(header+body))
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

func find(t *testing.T, c *Catalog, name string) Objective {
	t.Helper()
	i := slices.IndexFunc(c.Objectives, func(o Objective) bool { return o.Name == name })
	if i < 0 {
		t.Fatalf("there is no objective %s", name)
	}
	return c.Objectives[i]
}

func namesOf(c *Catalog) (objectives, signals []string) {
	for _, o := range c.Objectives {
		objectives = append(objectives, o.Name)
	}
	for _, s := range c.Signals {
		signals = append(signals, s.Name)
	}
	return objectives, signals
}

// Without a file, and with one that says nothing, the official five are in force,
// and nothing is read that they do not need.
func TestOfficialByDefault(t *testing.T) {
	builtIn, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, catalog := range []*Catalog{builtIn, loadBody(t, "")} {
		objectives, signals := namesOf(catalog)
		if diff := cmp.Diff([]string{"api-latency-mutating", "api-latency-readonly-cluster", "api-latency-readonly-namespace",
			"api-latency-readonly-resource", "pod-startup-latency"}, objectives); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"api-request-latency", "pod-start-latency"}, signals); diff != "" {
			t.Error(diff)
		}
		for _, o := range catalog.Objectives {
			if !o.Official || o.Type != Latency {
				t.Errorf("%+v is not official", o)
			}
		}
	}
}

// What a cluster changes is in force, and no longer called official where that is
// not what SIG Scalability says.
func TestChanges(t *testing.T) {
	for _, test := range []struct {
		name, entry string
		official    bool
		check       func(Objective) bool
	}{
		{"threshold", "threshold: 600ms", false, func(o Objective) bool { return o.Threshold == 600*time.Millisecond }},
		{"the official threshold", "threshold: 1000ms", true, func(o Objective) bool { return o.Threshold == time.Second }},
		{"percentile", "percentile: 90", false, func(o Objective) bool { return o.Percentile == 90 }},
		{"the day", "goodMinutesPercent: 95", false, func(o Objective) bool { return o.GoodMinutesPercent == 95 }},
		{"selection", "verbs: [PUT, POST]", false, func(o Objective) bool { return slices.Equal(o.Verbs, []string{"POST", "PUT"}) }},
		{"key", "key: [group, resource]", false, func(o Objective) bool { return len(o.Key) == 2 }},
		{"exclusion", "exclude: [{resource: leases, group: coordination.k8s.io}]", false, func(o Objective) bool { return o.Exclude[0]["resource"] == "leases" }},
		{"low traffic", "minimumRequests: 7", true, func(o Objective) bool { return *o.MinimumRequests == 7 }},
		{"description", "description: ours", true, func(o Objective) bool { return o.Description == "ours" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			catalog := loadBody(t, "objectives:\n- name: api-latency-mutating\n  "+test.entry+"\n")
			o := find(t, catalog, "api-latency-mutating")
			if o.Official != test.official || !test.check(o) {
				t.Errorf("got %+v", o)
			}
			if other := find(t, catalog, "pod-startup-latency"); !other.Official {
				t.Errorf("what was not changed is not official: %+v", other)
			}
		})
	}
}

func TestProfiles(t *testing.T) {
	catalog := loadBody(t, "profiles: [legacy]\n")
	if o := find(t, catalog, "api-latency-readonly-namespace"); o.Threshold != 5*time.Second || o.Official {
		t.Errorf("legacy: %+v", o)
	}
	// What the file says comes after the profile.
	catalog = loadBody(t, "profiles: [legacy]\nobjectives:\n- {name: api-latency-readonly-namespace, threshold: 30s}\n")
	if o := find(t, catalog, "api-latency-readonly-namespace"); o.Threshold != 30*time.Second || !o.Official {
		t.Errorf("over legacy: %+v", o)
	}
	catalog = loadBody(t, "profiles: [informational, clusterloader2]\n")
	objectives, signals := namesOf(catalog)
	want := []string{
		"admission-plugin-latency", "admission-webhook-latency", "api-latency-mutating", "api-latency-readonly-cluster",
		"api-latency-readonly-namespace", "api-latency-readonly-resource", "clusterloader2-cluster", "clusterloader2-namespace",
		"clusterloader2-resource", "dns-programming-latency", "network-programming-latency", "pod-startup-latency", "watch-latency",
	}
	if diff := cmp.Diff(want, objectives); diff != "" {
		t.Error(diff)
	}
	if slices.Contains(signals, "api-requests") {
		t.Error("a signal is read that no objective needs")
	}
	for _, o := range catalog.Objectives {
		if o.Official && (o.Informational || strings.HasPrefix(o.Name, "clusterloader2")) {
			t.Errorf("%s is called official", o.Name)
		}
	}
}

func TestDisable(t *testing.T) {
	catalog := loadBody(t, "objectives:\n- {name: pod-startup-latency, disabled: true}\n")
	objectives, signals := namesOf(catalog)
	if slices.Contains(objectives, "pod-startup-latency") || slices.Contains(signals, "pod-start-latency") {
		t.Errorf("still there: %v %v", objectives, signals)
	}
}

func TestAdditions(t *testing.T) {
	catalog := loadBody(t, `
signals:
- name: etcd-latency
  component: kube-apiserver
  type: Histogram
  metrics: [etcd_request_duration_seconds]
  labels: [operation, resource]
  match: {operation: [get, list]}
objectives:
- name: availability
  description: Answers that are no errors of the server
  signal: api-requests
  bad: {code: [5xx]}
  goodRatio: "0.999"
- name: storage.latency
  description: Latency of etcd
  signal: etcd-latency
  events: calls
  key: [resource]
  threshold: 333ms
`)
	o := find(t, catalog, "availability")
	if o.Type != Ratio || o.GoodRatio != 999_000 || o.Percentile != 0 || o.Bad["code"][0] != "5xx" || o.Official || o.GoodMinutesPercent != 99 {
		t.Errorf("got %+v", o)
	}
	// Bounds that are not known are not checked.
	if o := find(t, catalog, "storage.latency"); o.Type != Latency || o.Threshold != 333*time.Millisecond || o.Percentile != 99 {
		t.Errorf("got %+v", o)
	}
	_, signals := namesOf(catalog)
	if diff := cmp.Diff([]string{"api-request-latency", "pod-start-latency", "api-requests", "etcd-latency"}, signals); diff != "" {
		t.Error(diff)
	}
	if last := catalog.Signals[3]; last.BuiltIn || last.Match["operation"][1] != "list" {
		t.Errorf("got %+v", last)
	}
}

// A threshold is a bound when both are the same decimal, also where the sum of whole
// seconds and their fraction is another number: 1.118 is one of 788 up to an hour.
func TestThresholdsAreDecimals(t *testing.T) {
	catalog := loadBody(t, `
signals:
- {name: s, component: kubelet, type: Histogram, metrics: [a], bucketSeconds: [1, 1.118, 4.35, 1234.567]}
objectives:
- {name: a, description: d, signal: s, threshold: 1118ms}
- {name: b, description: d, signal: s, threshold: 4.35s}
- {name: c, description: d, signal: s, threshold: 1234567ms}
`)
	if o := find(t, catalog, "a"); o.ThresholdSeconds() != 1.118 {
		t.Errorf("got %v", o.ThresholdSeconds())
	}
}

func TestRatios(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": RatioOne, "0.999": 999_000, "0.000001": 1, "1.000": RatioOne, "0.": 0} {
		if got, err := parseRatio(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1.1", "0.9999999", "99.9%", "1e-3", "-0.5", "0.-5", "0.+5", ".5", "2", "NaN", "0.9 "} {
		if got, err := parseRatio(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// All errors are found at once, in the order of their lines.
func TestAllErrors(t *testing.T) {
	_, err := Load("o.yaml", []byte(header+`profiles: [fast]
objectives:
- name: api-latency-mutating
  threshold: 1m5q
- name: Upper
  percentile: 100
`))
	var errs Errors
	if !errors.As(err, &errs) || len(errs) < 4 {
		t.Fatalf("got %v", err)
	}
	if !slices.IsSortedFunc(errs, func(a, b Error) int { return a.Line - b.Line }) {
		t.Errorf("not in order: %v", err)
	}
	if want := `o.yaml:3: profiles[0]: Unsupported value: "fast": supported values: "clusterloader2", "informational", "legacy"`; errs[0].Error() != want {
		t.Errorf("got  %s\nwant %s", errs[0], want)
	}
	if got := errs.Summary(); !strings.HasSuffix(got, "more)") || strings.Contains(got, "\n") {
		t.Errorf("got %q", got)
	}
}
