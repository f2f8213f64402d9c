// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func objectivesFile(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "objectives.yaml")
	if err := os.WriteFile(path, []byte("apiVersion: config.slo.example.io/v1alpha1\nkind: ObjectiveCatalog\n"+body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The objectives of a file are served, next to those that are built in.
func TestObjectivesFile(t *testing.T) {
	path := objectivesFile(t, `
profiles: [informational]
objectives:
- name: availability
  description: Answers that are no errors of the server
  signal: api-requests
  bad: {code: [5xx]}
  goodRatio: "0.999"
- name: api-latency-mutating
  threshold: 600ms
`)
	s := serve(t, newFakeCluster(t), "--objectives-file="+path)
	for report, texts := range map[string][]string{
		"availability":                {`"type":"Ratio"`, `"goodRatio":"0.999"`, `"badEvents":[{"label":"code","values":["5xx"]}]`, `"slo.example.io/official":"false"`, `"requestBurnRates":[{"windowMinutes":60,`},
		"api-latency-mutating":        {`"thresholdMilliseconds":600`, `"slo.example.io/official":"false"`, `"type":"ObjectivesCurrent","status":"True"`},
		"pod-startup-latency":         {`"thresholdMilliseconds":5000`, `"slo.example.io/official":"true"`},
		"network-programming-latency": {`"reason":"ComponentNotRead"`, "comes from kube-proxy, which this server does not read"},
	} {
		code, body := s.get(t, reportsPath+"/"+report, readerToken)
		for _, text := range texts {
			if code != http.StatusOK || !strings.Contains(body, text) {
				t.Errorf("%s: %d, without %s: %s", report, code, text, body)
			}
		}
	}
	if _, body := s.get(t, "/metrics", readerToken); !strings.Contains(body, "\nslo_apiserver_objectives_file_current 1\n") {
		t.Error("/metrics does not tell of the file")
	}
}

// A bad file at the start is refused with the line.
func TestBadObjectivesFile(t *testing.T) {
	cluster := newFakeCluster(t)
	for body, want := range map[string]string{
		"objectives:\n- {name: api-latency-mutating, threshold: 7}\n": `objectives.yaml:4: objectives[0].threshold: "7" must be a duration with its unit`,
		"profiles: [x]\n": "objectives.yaml:3: profiles[0]: Unsupported value",
	} {
		options := parse(t, "--kubeconfig="+cluster.kubeconfig(t), "--scrape-apiservers="+cluster.URL, "--scrape-kubelets=false",
			"--objectives-file="+objectivesFile(t, body))
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		options.SecureServing.Listener = listener
		err = run(t.Context(), options)
		listener.Close()
		if err == nil || !strings.Contains(err.Error(), "--objectives-file: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
