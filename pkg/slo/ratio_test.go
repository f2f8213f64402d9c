// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/sources"
)

// defined are the objectives of a file, the one of that name first.
func defined(t *testing.T, name, body string) Objective {
	t.Helper()
	catalog, err := objectives.Load("test.yaml", []byte("apiVersion: "+objectives.APIVersion+"\nkind: "+objectives.Kind+"\n"+body))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Define(catalog, DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range d.Objectives {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no objective is called %s", name)
	return Objective{}
}

// counted is a reading of answers: each "verb resource code" with its number.
func counted(o Objective, rule sources.Rule, answers map[string]float64) *sources.Reading {
	reading := readingOf(nil)
	reading.Rule = rule
	var series []sources.Series
	for answer, n := range answers {
		f := strings.Fields(answer)
		series = append(series, sources.Series{Values: []string{"", f[1], "", f[0], "resource", f[2]}, Increase: n})
	}
	reading.Results[o.Signal] = sources.Result{Metrics: o.Reads.Metrics, Series: series}
	return reading
}

func TestRatioVerdicts(t *testing.T) {
	const whole = "objectives:\n- {name: availability, description: d, signal: api-requests, goodRatio: '0.999', "
	for _, test := range []struct {
		name, fields string
		answers      map[string]float64
		verdict      v1alpha1.Verdict
		requests     int64
		bad          int64
		message      string
	}{
		{"met at the edge", "bad: {code: [5xx]}", map[string]float64{"GET pods 200": 999, "GET pods 500": 1}, "Met", 1000, 1, "at least 99.9% good"},
		{"violated by one more", "bad: {code: [5xx]}", map[string]float64{"GET pods 200": 1998, "GET pods 503": 2, "PUT pods 504": 1}, "Violated", 2001, 3, "below 99.9% good: 3 of 2001 requests bad"},
		{"other classes are good", "bad: {code: [5xx]}", map[string]float64{"GET pods 404": 10, "GET pods 429": 90}, "Met", 100, 0, ""},
		{"too many requests are bad by choice", `bad: {code: [5xx, "429"]}`, map[string]float64{"GET pods 200": 10, "GET pods 429": 90}, "Violated", 100, 90, ""},
		{"good codes", "good: {code: [2xx]}", map[string]float64{"GET pods 200": 10, "GET pods 404": 90}, "Violated", 100, 90, ""},
		{"every label has to fit", "bad: {code: [5xx], verb: [PUT]}", map[string]float64{"GET pods 500": 10, "PUT pods 200": 90}, "Met", 100, 0, ""},
		{"selected", "bad: {code: [5xx]}, verbs: [GET]", map[string]float64{"GET pods 200": 10, "PUT pods 500": 90}, "Met", 10, 0, ""},
		{"no traffic", "bad: {code: [5xx]}", map[string]float64{"GET pods 200": 0}, "NoTraffic", 0, 0, "no requests in the window"},
		{"not a class", "bad: {code: [5xx]}", map[string]float64{"GET pods 5000": 5, "GET pods 50": 5, "GET pods 5ab": 5}, "Met", 15, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := defined(t, "availability", whole+test.fields+"}\n")
			for _, rule := range []sources.Rule{sources.Exact, sources.Extrapolated} {
				judged := Judge([]Objective{o}, counted(o, rule, test.answers), nil, Options{})
				got := judged.Reports[0]
				if got.Status.Verdict != test.verdict || *got.Status.Requests != test.requests || *got.Status.SlowRequests != test.bad {
					t.Errorf("%s: %s, %d bad of %d", rule, got.Status.Verdict, *got.Status.SlowRequests, *got.Status.Requests)
				}
				if message := got.Status.Conditions[0].Message; !strings.Contains(message, test.message) {
					t.Errorf("message %q", message)
				}
				if got.Status.P99Milliseconds != nil || got.Spec.ThresholdMilliseconds != 0 || got.Spec.Indicator.Percentile != 0 || got.Spec.GoodRatio != "0.999" {
					t.Errorf("a ratio has no latency: %+v", got.Spec)
				}
				if diff := cmp.Diff(&Events{Total: test.requests, Bad: test.bad}, judged.Minutes[0].Events); diff != "" {
					t.Errorf("events for the ledger: %s", diff)
				}
			}
		})
	}
}

func TestRatioPerKey(t *testing.T) {
	o := defined(t, "availability", `
objectives:
- name: availability
  description: d
  signal: api-requests
  key: [group, resource, verb]
  bad: {code: [5xx]}
  goodRatio: "0.9"
  exclude:
  - {resource: secrets, verb: GET}
`)
	reading := counted(o, sources.Exact, map[string]float64{
		"GET pods 200": 9, "GET pods 500": 1, "PUT pods 200": 8, "PUT pods 500": 2, "GET secrets 500": 7, "PUT secrets 200": 1,
	})
	resources := NewResources(map[schema.GroupResource]Class{{Resource: "pods"}: BuiltIn, {Resource: "secrets"}: BuiltIn}, nil)
	report := Evaluate([]Objective{o}, reading, resources, Options{})[0]
	if want := "1 of 3 keys below 90% good: PUT pods, 2 of 10 requests bad"; report.Status.Conditions[0].Message != want {
		t.Errorf("got %q, want %q", report.Status.Conditions[0].Message, want)
	}
	want := []v1alpha1.ExcludedKeys{{Reason: v1alpha1.ExcludedByConfiguration, Keys: 1, Requests: 7}}
	if diff := cmp.Diff(want, report.Status.Keys.Excluded); diff != "" {
		t.Error(diff)
	}
	if worst := report.Status.Worst[0]; worst.Verb != "PUT" || worst.SlowRequests != 2 || worst.GoodRatio != "0.8" {
		t.Errorf("the worst is %+v", worst)
	}
}

// What can not be read, or not in full, is no event, and never Met.
func TestRatioWithoutData(t *testing.T) {
	o := defined(t, "availability", "objectives:\n- {name: availability, description: d, signal: api-requests, goodRatio: '0.999', bad: {code: [5xx]}}\n")
	for name, change := range map[string]func(*sources.Reading){
		"no number": func(r *sources.Reading) { r.Results[o.Signal].Series[0].Increase = math.NaN() },
		"negative":  func(r *sources.Reading) { r.Results[o.Signal].Series[0].Increase = -1 },
		"an instance that was not read": func(r *sources.Reading) {
			r.Instances = append(r.Instances, sources.Instance{Component: sources.KubeAPIServer, Name: "b"})
		},
		"no series": func(r *sources.Reading) { r.Results[o.Signal] = sources.Result{} },
	} {
		reading := counted(o, sources.Exact, map[string]float64{"GET pods 200": 10})
		change(reading)
		judged := Judge([]Objective{o}, reading, nil, Options{})
		if got := judged.Reports[0].Status.Verdict; got != v1alpha1.VerdictUnknown || judged.Minutes[0].Events != nil {
			t.Errorf("%s: %s, events %v", name, got, judged.Minutes[0].Events)
		}
	}
}

// A label that was dropped on the way tells neither good from bad, and who is asked
// for: an outage would look like 100% good, or like no traffic.
func TestRatioWithoutLabels(t *testing.T) {
	for _, test := range []struct {
		name, fields string
		answers      [][3]any // verb, code, number
		verdict      v1alpha1.Verdict
		reason       string
		bad          int64 // -1: not known
	}{
		{"no code of bad", "bad: {code: [5xx]}", [][3]any{{"GET", "", 1000.0}}, v1alpha1.VerdictUnknown, ReasonLabelMissing, -1},
		{"no code of good", "good: {code: [2xx]}", [][3]any{{"GET", "", 1000.0}}, v1alpha1.VerdictUnknown, ReasonLabelMissing, -1},
		{"of a few, which does not matter", "bad: {code: [5xx]}", [][3]any{{"GET", "200", 1000.0}, {"PUT", "", 1.0}}, v1alpha1.VerdictMet, ReasonAllKeysHold, -1},
		{"of a few, which would", "bad: {code: [5xx]}", [][3]any{{"GET", "200", 990.0}, {"PUT", "", 10.0}}, v1alpha1.VerdictUnknown, ReasonLabelMissing, -1},
		{"violated by the others", "bad: {code: [5xx]}", [][3]any{{"GET", "500", 990.0}, {"PUT", "", 10.0}}, v1alpha1.VerdictViolated, ReasonKeysViolated, -1},
		{"another label says it", "bad: {code: [5xx], verb: [PUT]}", [][3]any{{"GET", "", 1000.0}}, v1alpha1.VerdictMet, ReasonAllKeysHold, 0},
		{"absent on purpose", `bad: {code: [5xx, ""]}`, [][3]any{{"GET", "", 1000.0}}, v1alpha1.VerdictViolated, ReasonKeysViolated, 1000},
		{"no subresource is one", "bad: {subresource: [status], code: [5xx]}", [][3]any{{"GET", "500", 1000.0}}, v1alpha1.VerdictMet, ReasonAllKeysHold, 0},
		{"no verb to select by", "bad: {code: [5xx]}, verbs: [GET]", [][3]any{{"", "500", 1000.0}}, v1alpha1.VerdictUnknown, ReasonLabelMissing, -1},
		{"idle without a verb", "bad: {code: [5xx]}, verbs: [GET]", [][3]any{{"", "500", 0.0}, {"GET", "200", 1.0}}, v1alpha1.VerdictMet, ReasonAllKeysHold, 0},
	} {
		o := defined(t, "availability", "objectives:\n- {name: availability, description: d, signal: api-requests, goodRatio: '0.999', "+test.fields+"}\n")
		reading := counted(o, sources.Exact, nil)
		var series []sources.Series
		for _, a := range test.answers {
			series = append(series, sources.Series{Values: []string{"", "pods", "", a[0].(string), "resource", a[1].(string)}, Increase: a[2].(float64)})
		}
		reading.Results[o.Signal] = sources.Result{Metrics: o.Reads.Metrics, Series: series}
		judged := Judge([]Objective{o}, reading, nil, Options{})
		status := judged.Reports[0].Status
		if status.Verdict != test.verdict || status.Conditions[0].Reason != test.reason {
			t.Errorf("%s: %s, %+v", test.name, status.Verdict, status.Conditions[0])
		}
		known := status.SlowRequests != nil
		if known != (test.bad >= 0) || known && *status.SlowRequests != test.bad || known != (judged.Minutes[0].Events != nil) {
			t.Errorf("%s: bad are %v, events %v", test.name, status.SlowRequests, judged.Minutes[0].Events)
		}
		if strings.Contains(status.Conditions[0].Message, "bucket") {
			t.Errorf("%s: message %q", test.name, status.Conditions[0].Message)
		}
	}
}

// What a metric of one's own calls a resource, without a group, is none of the API: it is
// not looked up, and counts.
func TestResourcesOfOtherKinds(t *testing.T) {
	o := defined(t, "mine", "signals:\n- {name: s, component: kube-apiserver, type: Histogram, metrics: [a], labels: [resource]}\n"+
		"objectives:\n- {name: mine, description: d, signal: s, threshold: 1118ms, key: [resource]}\n")
	reading := readingOf(nil)
	reading.Results["s"] = sources.Result{Series: []sources.Series{{
		Values: []string{"widgets"}, Histogram: &sources.Buckets{Bounds: []float64{1, 1.118, math.Inf(+1)}, Counts: []float64{5, 10, 10}},
	}}}
	for _, resources := range []*Resources{nil, NewResources(map[schema.GroupResource]Class{{Resource: "widgets"}: Virtual}, nil)} {
		status := Evaluate([]Objective{o}, reading, resources, Options{})[0].Status
		if status.Verdict != v1alpha1.VerdictMet || *status.Requests != 10 {
			t.Errorf("got %s, %+v", status.Verdict, status.Conditions[0])
		}
	}
}

func TestInformational(t *testing.T) {
	o := defined(t, "watch-latency", "profiles: [informational]\n")
	reading := readingOf([]sources.Series{{Values: []string{"example.com", "widgets"}, Histogram: &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{5, 10}}}})
	reading.Results[o.Signal] = reading.Results[SignalRequestLatency]
	// Custom resources are shown, too, and which ones they are need not be known.
	judged := Judge([]Objective{o}, reading, nil, Options{})
	status := judged.Reports[0].Status
	if status.Verdict != v1alpha1.VerdictInformational || status.Conditions[0].Status != "Unknown" || status.Conditions[0].Reason != ReasonInformational {
		t.Errorf("got %s, %+v", status.Verdict, status.Conditions[0])
	}
	if status.Day != nil || status.SlowRequests != nil || status.GoodRatio != "" || *status.Requests != 10 || status.P50Milliseconds == nil {
		t.Errorf("without an objective nothing is slow, and no day good or bad: %+v", status)
	}
	if worst := status.Worst[0]; worst.SlowRequests != 0 || worst.GoodRatio != "" || worst.Requests != 10 {
		t.Errorf("got %+v", worst)
	}
	l, err := NewLedger([]Objective{o})
	if err != nil {
		t.Fatal(err)
	}
	l.Record(scenarioAt, judged.Minutes)
	if day := l.Day(o.Name, scenarioAt); day.Unknown != minutesPerDay || l.Keys() != 0 {
		t.Errorf("recorded: %+v", day)
	}
	indicator := Indicators(judged.Assessments, func(string) Days { return Days{} })[0]
	if indicator.Status.Outcome != v1alpha1.OutcomeInformational || indicator.Status.SlowRequests != nil {
		t.Errorf("got %+v", indicator.Status)
	}
}

// What is for information is not told of what was not read.
func TestInformationalWithoutData(t *testing.T) {
	o := defined(t, "admission-plugin-latency", "profiles: [informational]\n")
	idle := &sources.Buckets{Bounds: []float64{1, math.Inf(+1)}, Counts: []float64{0, 0}}
	missing := sources.Instance{Component: sources.KubeAPIServer, Name: "b", Problem: "down"}
	for _, test := range []struct {
		name      string
		histogram *sources.Buckets
		more      []sources.Instance
		verdict   v1alpha1.Verdict
		reason    string
	}{
		{"idle", idle, nil, v1alpha1.VerdictNoTraffic, ReasonNoTraffic},
		{"idle as far as it was read", idle, []sources.Instance{missing}, v1alpha1.VerdictUnknown, ReasonInstancesMissing},
		{"no histogram", &sources.Buckets{Bounds: []float64{1}, Counts: []float64{1}}, nil, v1alpha1.VerdictUnknown, ReasonHistogramInvalid},
	} {
		reading := readingOf(nil)
		reading.Instances = append(reading.Instances, test.more...)
		reading.Results[o.Signal] = sources.Result{Series: []sources.Series{{Values: []string{"", "", ""}, Histogram: test.histogram}}}
		status := Evaluate([]Objective{o}, reading, nil, Options{})[0].Status
		if status.Verdict != test.verdict || status.Conditions[0].Reason != test.reason {
			t.Errorf("%s: %s, %+v", test.name, status.Verdict, status.Conditions[0])
		}
	}
}

// A signal that the reading does not have is no metric that is missing.
func TestUnread(t *testing.T) {
	o := ratioObjective()
	o.Signal = "mine"
	judged := Judge([]Objective{o}, readingOf(nil), nil, Options{Unread: map[string]Unread{"mine": {"SignalPending", "read since 12:00"}}})
	if met := judged.Reports[0].Status.Conditions[0]; met.Status != "Unknown" || met.Reason != "SignalPending" || judged.Minutes[0].Verdict != v1alpha1.VerdictUnknown {
		t.Errorf("got %+v", met)
	}
}

// What changes the verdict on a minute begins a new day, and nothing else does.
func TestFingerprints(t *testing.T) {
	base := defined(t, "api-latency-mutating", "")
	same := map[string]string{"minimumRequests": "5", "description": "ours", "goodMinutesPercent": "95"}
	for field, value := range same {
		o := defined(t, base.Name, "objectives:\n- {name: api-latency-mutating, "+field+": "+value+"}\n")
		if o.fingerprint() != base.fingerprint() {
			t.Errorf("%s begins a new day", field)
		}
	}
	other := map[string]string{"threshold": "600ms", "percentile": "90", "verbs": "[PUT]", "exclude": "[{resource: leases}]"}
	for field, value := range other {
		o := defined(t, base.Name, "objectives:\n- {name: api-latency-mutating, "+field+": "+value+"}\n")
		if o.fingerprint() == base.fingerprint() {
			t.Errorf("%s does not begin a new day", field)
		}
	}
	mine := func(signal string) Objective {
		return defined(t, "mine", "signals:\n- {name: s, component: kubelet, type: Histogram, "+signal+
			"}\nobjectives:\n- {name: mine, description: d, signal: s, threshold: 1s}\n")
	}
	if mine("metrics: [a]").fingerprint() == mine("metrics: [b]").fingerprint() {
		t.Error("another metric under the same name does not begin a new day")
	}
	if mine("metrics: [a]").fingerprint() == mine("metrics: [a], everywhere: true").fingerprint() {
		t.Error("an instance without the metric is another minute")
	}
	if mine("metrics: [a]").fingerprint() == mine("metrics: [a], recordedRate: r, recordedWindow: 5m").fingerprint() {
		t.Error("what stands in where there is no metric is another minute")
	}
}
