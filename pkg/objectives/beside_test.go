// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

// What the server reads beside the objectives has names and kinds of its own: a signal
// that can not be read with it is refused by its line, and not by the source later on.
func TestSignalsReadBeside(t *testing.T) {
	beside := []sources.Signal{
		{Name: "apf-wait", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"wait_seconds"}},
		{Name: "apf-seats", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"seats"}},
		{Name: "apf-rejected", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"new_count"}},
	}
	for _, test := range []struct{ name, fields, want string }{
		{"name", "name: apf-wait, component: kube-apiserver, type: Counter, metrics: [a]", "4: signals[0].name: Invalid value: \"apf-wait\": it is in use for what the server reads itself; choose another name"},
		{"name of another component", "name: apf-wait, component: kubelet, type: Counter, metrics: [a]", "4: signals[0].name: Invalid value"},
		{"kind", "name: s, component: kube-apiserver, type: Counter, metrics: [a, seats]", "4: signals[0].metrics[1]: Invalid value: \"seats\": signal apf-seats reads it as a Gauge"},
		{"kind of one built in", "name: s, component: kube-apiserver, type: Histogram, metrics: [apiserver_request_total]", "signal api-requests reads it as a Counter"},
		{"part of a histogram", "name: s, component: kube-apiserver, type: Counter, metrics: [wait_seconds_count]", "it is a part of the histogram wait_seconds, which signal apf-wait reads"},
		{"histogram of a part", "name: s, component: kube-apiserver, type: Histogram, metrics: [new]", "signal apf-rejected reads a part of it as a Counter"},
		{"the same kind", "name: s, component: kube-apiserver, type: Histogram, metrics: [wait_seconds]", ""},
		{"another component", "name: s, component: kubelet, type: Counter, metrics: [seats, wait_seconds_count]", ""},
	} {
		_, err := Load("test.yaml", []byte(header+signal(test.fields)), beside...)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v\nwant %s", test.name, err, test.want)
		}
	}
	_, err := Load("test.yaml", []byte(header+"signals:\n- {name: a, component: kubelet, type: Counter, metrics: [m]}\n- {name: b, component: kubelet, type: Histogram, metrics: [m]}\n"))
	if want := "5: signals[1].metrics[0]: Invalid value: \"m\": signal a reads it as a Counter"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("two of one file: got %v, want %s", err, want)
	}
}
