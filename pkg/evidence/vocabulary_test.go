// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

var update = flag.Bool("update", false, "rewrite docs/metrics.md")

const table = "../../docs/metrics.md"

// TestMetricsTable holds docs/metrics.md against the signals and the vocabulary.
func TestMetricsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Which metric a figure is read from

Where a signal has several metrics an instance is read from the first that it has. The
versions are those of Kubernetes that expose a metric by default; nothing before 1.23 was
looked at. This page is made by ` + "`go test ./pkg/evidence -update`" + `.

| signal | metric | Kubernetes | lost without it |
|---|---|---|---|
`)
	for _, signal := range slices.Concat(slo.Signals(), apf.Signals()) {
		for i, name := range signal.Metrics {
			m, known := evidence.Lookup(name)
			if strings.HasPrefix(name, "slo_apiserver_") {
				continue // tells this server from a kube-apiserver
			}
			if !known {
				if signal.Component == sources.KubeAPIServer || signal.Component == sources.Kubelet {
					t.Errorf("signal %s: %s is not in the vocabulary", signal.Name, name)
				}
				m.Name = name
			}
			title, versions := signal.Name, m.Versions()
			if i > 0 {
				title = ""
			}
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", title, name, versions, m.Without)
		}
	}
	if *update {
		if err := os.WriteFile(table, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(have)); diff != "" {
		t.Errorf("docs/metrics.md is not of these signals; remedy: go test ./pkg/evidence -update (-want +have):\n%s", diff)
	}
}

// TestSignal says why a metric was chosen.
func TestSignal(t *testing.T) {
	signal := sources.Signal{Name: "s", Metrics: []string{
		"apiserver_request_sli_duration_seconds", "apiserver_request_slo_duration_seconds", "apiserver_request_duration_seconds",
	}}
	for _, test := range []struct {
		metrics []string
		reason  v1alpha1.MetricReason
		says    string
	}{
		{nil, v1alpha1.MetricNone, "there is no apiserver_request_sli_duration_seconds (1.26 and later) or"},
		{signal.Metrics[:1], v1alpha1.MetricPreferred, ""},
		{signal.Metrics[1:2], v1alpha1.MetricFallback, "there is no apiserver_request_sli_duration_seconds (1.26 and later); without it: "},
		{signal.Metrics[:2], v1alpha1.MetricMixedVersions, "and others apiserver_request_slo_duration_seconds (1.23 to 1.27)"},
	} {
		got := evidence.Signal(signal, sources.Result{Metrics: test.metrics}, 3)
		if got.Reason != test.reason || !strings.Contains(got.Message, test.says) || (test.says == "") != (got.Message == "") {
			t.Errorf("metrics %q: %s, %q; want %s and %q", test.metrics, got.Reason, got.Message, test.reason, test.says)
		}
	}
}
