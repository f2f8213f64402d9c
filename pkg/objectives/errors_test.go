// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"strings"
	"testing"
)

// Every error names the line and the field, and what to do. Lines are those of the
// body: the header has two more.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"unknown field", "objectives:\n- name: a\n  treshold: 1s\n", "5: objectives[0].treshold: there is no such field; those here are bad, description,"},
		{"unknown top field", "objective: []\n", "3: objective: there is no such field"},
		{"field twice", "profiles: []\nprofiles: []\n", "4: profiles: is there twice, first in line 3"},
		{"not YAML", "objectives: [\n", "is no YAML"},
		{"two documents", "---\nkind: x\n", "there is a second document"},
		{"a list in place of a mapping", "objectives:\n- [a]\n", "4: objectives[0]: must be a mapping"},
		{"a mapping in place of a list", "objectives: {}\n", "3: objectives: must be a list"},
		{"null", "objectives:\n", "3: objectives: must be a list"},
		{"alias", "profiles: &a [legacy]\nobjectives: *a\n", "4: objectives: aliases are not followed"},
		{"merge key", "objectives:\n- <<: {name: x}\n", "4: objectives[0].<<: there is no such field"},
		{"duration without a unit", changed("threshold: 5"), `5: objectives[0].threshold: "5" must be a duration with its unit, such as 1s or 250ms`},
		{"number", changed("percentile: p99"), `5: objectives[0].percentile: "p99" must be a whole number`},
		{"boolean", changed("disabled: yes"), `5: objectives[0].disabled: "yes" must be true or false`},
		{"no bound", changed("threshold: 700ms"), "5: objectives[0].threshold: Invalid value: \"700ms\": no bucket of apiserver_request_sli_duration_seconds ends there, so that no verdict would be known; the nearest bounds are 0.6s and 0.8s"},
		{"beyond the bounds", changed("threshold: 90s"), "the nearest bounds are 60s"},
		{"negative", changed("threshold: -1s"), "must be whole milliseconds from 1ms to 1h0m0s"},
		{"too fine", changed("threshold: 1500us"), "must be whole milliseconds"},
		{"percentile 100", changed("percentile: 100"), "5: objectives[0].percentile: Invalid value: 100: must be from 1 to 99"},
		{"percentile 0", changed("percentile: 0"), "must be from 1 to 99"},
		{"huge percentile", changed("percentile: 4294967395"), "must be from 1 to 99"},
		{"huge negative percentile", changed("percentile: -4294967246"), "5: objectives[0].percentile"},
		{"huge negative day", changed("goodMinutesPercent: -4294967246"), "5: objectives[0].goodMinutesPercent"},
		{"day", changed("goodMinutesPercent: 101"), "5: objectives[0].goodMinutesPercent: Invalid value: 101: must be from 1 to 100"},
		{"negative minimum", changed("minimumRequests: -1"), "5: objectives[0].minimumRequests"},
		{"unknown verb", changed("verbs: [GET, WATCH]"), `5: objectives[0].verbs: Unsupported value: "WATCH"`},
		{"no verb", changed("verbs: []"), "leave it out for all"},
		{"unknown scope", changed("scope: galaxy"), `objectives[0].scope: Unsupported value: "galaxy"`},
		{"unknown key", changed("key: [group, user]"), `5: objectives[0].key[1]: Unsupported value: "user"`},
		{"key twice", changed("key: [group, group]"), `5: objectives[0].key[1]: Duplicate value: "group"`},
		{"resource without group", changed("key: [resource, verb]"), `5: objectives[0].key[0]: Invalid value: "resource": resources of different groups have the same names: add group to the key`},
		{"exclusion by what is no key", changed("exclude: [{scope: resource}]"), "5: objectives[0].exclude[0].scope: Invalid value: \"resource\": the objective is not split by that label, but by: group, resource, subresource, verb"},
		{"empty exclusion", changed("exclude: [{}]"), "5: objectives[0].exclude[0]: Required value: name what is excluded"},
		{"official", changed("official: true"), "5: objectives[0].official: Forbidden: official are the objectives of SIG Scalability"},
		{"profile of an entry", changed("profile: legacy"), "profiles are chosen for the file as a whole: profiles: [legacy]"},
		{"wrong type", changed("type: Ratio"), "signal api-request-latency is read as a Histogram, of which a Latency is made"},
		{"unknown type", changed("type: Average"), `5: objectives[0].type: Unsupported value: "Average"`},
		{"bad of a latency", changed("bad: {verb: [PUT]}"), "good, bad and goodRatio are of a Ratio"},
		{"informational with a threshold", changed("informational: true"), "an informational objective has none"},
		{"same name twice", "objectives:\n- {name: api-latency-mutating, percentile: 95}\n- {name: api-latency-mutating, percentile: 95}\n", `5: objectives[1].name: Duplicate value: "api-latency-mutating"`},
		{"name", "objectives:\n- {name: Api_Latency, description: d, signal: api-request-latency, threshold: 1s}\n", "4: objectives[0].name: Invalid value: \"Api_Latency\": a lowercase RFC 1123 subdomain"},
		{"no name", "objectives:\n- {threshold: 1s, description: d, signal: api-request-latency}\n", "4: objectives[0].name: Required value"},
		{"name with a typing error", "objectives:\n- {name: api-latency-mutation, threshold: 1s}\n", "4: objectives[0].signal: Required value: api-latency-mutation is not built in, and so has to be defined as a whole; those in force without this file are api-latency-mutating,"},
		{"no description", "objectives:\n- {name: a, signal: api-request-latency, threshold: 1s}\n", "4: objectives[0].description: Required value"},
		{"no threshold", "objectives:\n- {name: a, description: d, signal: api-request-latency}\n", "4: objectives[0].threshold: Required value"},
		{"unknown signal", "objectives:\n- {name: a, description: d, signal: b, threshold: 1s}\n", `4: objectives[0].signal: Invalid value: "b": there is no such signal`},
		{"disable nothing", "objectives:\n- {name: b, disabled: true}\n", "4: objectives[0].name: Invalid value: \"b\": there is none to disable"},
		{"everything disabled", "objectives:\n" + disabled("api-latency-mutating", "api-latency-readonly-cluster", "api-latency-readonly-namespace", "api-latency-readonly-resource", "pod-startup-latency"), "3: objectives: all are disabled"},
		{"ratio without events", ratio("goodRatio: 0.99"), "objectives[0].bad: Required value"},
		{"ratio good and bad", ratio("goodRatio: 0.99, good: {code: [2xx]}, bad: {code: [5xx]}"), "give good or bad, not both"},
		{"ratio of an unknown label", ratio("goodRatio: 0.99, bad: {status: [5xx]}"), `objectives[0].bad.status: Unsupported value: "status"`},
		{"ratio without values", ratio("goodRatio: 0.99, bad: {code: []}"), "give at least one value"},
		{"ratio without a target", ratio("bad: {code: [5xx]}"), "4: objectives[0].goodRatio: Required value"},
		{"ratio of one", ratio("goodRatio: 1, bad: {code: [5xx]}"), `above "0" and below "1"`},
		{"ratio in percent", ratio("goodRatio: 99.9%, bad: {code: [5xx]}"), `"99.9%" must be a decimal from 0 to 1 with up to six digits`},
		{"ratio with a threshold", ratio("goodRatio: 0.99, threshold: 1s, bad: {code: [5xx]}"), "percentile and threshold are of a Latency"},
		{"signal without a name", signal("x: 1"), "4: signals[0].x: there is no such field"},
		{"signal built in", signal("name: api-requests, component: kubelet, type: Counter, metrics: [m]"), "it is built in; choose another name"},
		{"signal of an unknown component", signal("name: s, component: etcd, type: Counter, metrics: [m]"), `4: signals[0].component: Unsupported value: "etcd"`},
		{"signal of an unknown type", signal("name: s, component: kubelet, type: Gauge, metrics: [m]"), `4: signals[0].type: Unsupported value: "Gauge"`},
		{"signal without metrics", signal("name: s, component: kubelet, type: Counter"), "signals[0].metrics: Invalid value: 0: name 1 to 10"},
		{"metric of a histogram", signal("name: s, component: kubelet, type: Histogram, metrics: [a_bucket]"), "signals[0].metrics[0]: Invalid value: \"a_bucket\": name the histogram without _bucket"},
		{"metric name", signal("name: s, component: kubelet, type: Counter, metrics: [a-b]"), "is no name of a metric"},
		{"metric twice", signal("name: s, component: kubelet, type: Counter, metrics: [a, a]"), "signals[0].metrics[1]: Duplicate value"},
		{"label name", signal("name: s, component: kubelet, type: Counter, metrics: [a], labels: [a.b]"), "signals[0].labels[0]: Invalid value: \"a.b\": is no name of a label"},
		{"label le", signal("name: s, component: kubelet, type: Counter, metrics: [a], labels: [le]"), "is not one of the labels that the component gives"},
		{"label twice", signal("name: s, component: kubelet, type: Counter, metrics: [a], labels: [b, b]"), "signals[0].labels[1]: Duplicate value"},
		{"match without values", signal("name: s, component: kubelet, type: Counter, metrics: [a], match: {b: []}"), "signals[0].match.b: Required value"},
		{"buckets", signal("name: s, component: kubelet, type: Histogram, metrics: [a], bucketSeconds: [1, 1]"), "signals[0].bucketSeconds[1]: Invalid value: 1: bounds are positive seconds and ascend"},
		{"buckets of a counter", signal("name: s, component: kubelet, type: Counter, metrics: [a], bucketSeconds: [1]"), "a counter has no buckets"},
		{"rate of a counter", signal("name: s, component: kubelet, type: Counter, metrics: [a], recordedRate: b:a:rate5m, recordedWindow: 5m"), "signals[0].recordedRate: Forbidden: only rates of the buckets of a histogram are read"},
		{"rate without a window", signal("name: s, component: kubelet, type: Histogram, metrics: [a], recordedRate: b:a:rate5m"), "signals[0].recordedWindow: Invalid value: \"0s\": give the window of the rate"},
		{"window without a rate", signal("name: s, component: kubelet, type: Histogram, metrics: [a], recordedWindow: 5m"), "signals[0].recordedRate: Invalid value: \"\": name the recording rule"},
		{"rate of its own name", signal("name: s, component: kubelet, type: Histogram, metrics: [a], recordedRate: a, recordedWindow: 5m"), "signals[0].recordedRate: Duplicate value"},
		{"bucket no number", signal("name: s, component: kubelet, type: Histogram, metrics: [a], bucketSeconds: [.inf]"), "must be a number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load("test.yaml", []byte(header+test.body))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "test.yaml:") {
				t.Errorf("%v does not begin with the file", err)
			}
		})
	}
}

func TestErrorsOfWholeFiles(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{"", "test.yaml: is empty; it has to begin with apiVersion: config.slo.example.io/v1alpha1"},
		{"# nothing\n", "test.yaml: is empty"},
		{"kind: ObjectiveCatalog\n", "test.yaml:1: apiVersion: must be config.slo.example.io/v1alpha1"},
		{"apiVersion: config.slo.example.io/v1alpha1\nkind: Deployment\n", "test.yaml:2: kind: must be ObjectiveCatalog"},
		{"text", "test.yaml:1: must be a mapping"},
		{strings.Repeat("#", MaximumBytes+1), "test.yaml: is larger than 1048576 bytes"},
		{header + "objectives:\n" + strings.Repeat("- name: a\n", mostObjectives+1), "at most 200 are taken"},
	} {
		if _, err := Load("test.yaml", []byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

// There is an end to what is told of a file.
func TestManyErrors(t *testing.T) {
	_, err := Load("test.yaml", []byte(header+"objectives:\n"+strings.Repeat("- x: 1\n", 150)))
	if err == nil || strings.Count(err.Error(), "\n") != mostErrors || !strings.Contains(err.Error(), "more errors") {
		t.Errorf("got %v", err)
	}
}

// An error goes into a condition of every report: it is one line, and short.
func TestErrorsAreShort(t *testing.T) {
	for name, body := range map[string]string{
		"a long value":  changed("threshold: " + strings.Repeat("é", 100_000)),
		"a long name":   changed(strings.Repeat("x", 1000) + ": 1"),
		"lines":         changed(`"a\nb": 1`),
		"many elements": changed("exclude: [" + strings.Repeat("{group: batch}, ", mostElements+1) + "]"),
	} {
		_, err := Load("test.yaml", []byte(header+body))
		if err == nil || len(err.Error()) > longestProblem+100 || strings.ContainsAny(err.Error(), "\n\ufffd") || !strings.HasPrefix(err.Error(), "test.yaml:5: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func changed(entry string) string {
	return "objectives:\n- name: api-latency-mutating\n  " + entry + "\n"
}

func ratio(fields string) string {
	return "objectives:\n- {name: a, description: d, signal: api-requests, " + fields + "}\n"
}

func signal(fields string) string { return "signals:\n- {" + fields + "}\n" }

func disabled(names ...string) (entries string) {
	for _, name := range names {
		entries += "- {name: " + name + ", disabled: true}\n"
	}
	return entries
}
