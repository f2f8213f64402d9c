// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// ownObjectives are those of a cluster; threshold is what it has for changes.
func ownObjectives(threshold string) string {
	return `apiVersion: config.slo.example.io/v1alpha1
kind: ObjectiveCatalog
profiles: [legacy]
objectives:
- name: api-latency-mutating
  threshold: ` + threshold + `
- name: api-availability
  description: Answers to requests that are no errors of the server
  signal: api-requests
  verbs: [APPLY, DELETE, GET, LIST, PATCH, POST, PUT]
  bad: {code: [5xx]}
  goodRatio: "0.9"
`
}

// looks is how often a server looks at its file, and evaluates, at the latest.
const looks = 10*time.Second + 2*interval

// TestObjectivesFile gives a server objectives of its own, and changes them while it
// runs. Prometheus has a past: nothing has to be waited for.
func TestObjectivesFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "objectives.yaml")
	write := func(content string) {
		// At once, as in a volume of a ConfigMap.
		if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(ownObjectives("600ms"))
	client, process, err := lab.startServer("objectives", "--source=prometheus", "--prometheus-url="+lab.state.Prometheus.URL, "--objectives-file="+file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Signal(syscall.SIGTERM) })

	eventually(t, window, "the objectives are those of the file", func() error {
		return asInFile(t, client, 600, "True", "FileLoaded", file)
	})
	for name, official := range map[string]string{mutating: "false", readonlyNamespace: "false", "api-availability": "false", readonlyResource: "true", readonlyCluster: "true", podStartup: "true"} {
		report, err := getReport(t, client, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Labels[v1alpha1.LabelOfficial]; got != official {
			t.Errorf("%s is official: %q, want %s", name, got, official)
		}
	}
	testAvailability(t, client)

	write(ownObjectives("601ms"))
	eventually(t, looks, "a bad file is told of, and not in force", func() error {
		// The bounds of the metric are known, and 601ms is none.
		return asInFile(t, client, 600, "False", "FileInvalid", file+":6: objectives[0].threshold: ")
	})
	wantVerdict(t, client, mutating, window, v1alpha1.VerdictMet) // all goes on

	good, _, _ := strings.Cut(ownObjectives("800ms"), "- name: api-availability")
	write(good)
	eventually(t, looks, "a good file is in force without a restart", func() error {
		return asInFile(t, client, 800, "True", "FileLoaded", file)
	})
	wantVerdict(t, client, mutating, window, v1alpha1.VerdictMet)
	if _, err := getReport(t, client, "api-availability"); !apierrors.IsNotFound(err) {
		t.Errorf("an objective that is not in the file any more: %v, want 404", err)
	}
}

// asInFile wants the thresholds that the file gives, and every report to say how the
// file is.
func asInFile(t *testing.T, client *versioned.Clientset, threshold int64, status, reason, message string) error {
	t.Helper()
	for name, want := range map[string]int64{mutating: threshold, readonlyNamespace: 5000, readonlyResource: 1000, readonlyCluster: 30_000, podStartup: 5000} {
		report, err := getReport(t, client, name)
		if err != nil {
			return err
		}
		if report.Spec.ThresholdMilliseconds != want {
			return fmt.Errorf("%s has a threshold of %d ms, want %d", name, report.Spec.ThresholdMilliseconds, want)
		}
		c := meta.FindStatusCondition(report.Status.Conditions, v1alpha1.ConditionObjectivesCurrent)
		if c == nil || string(c.Status) != status || c.Reason != reason || !strings.Contains(c.Message, message) {
			return fmt.Errorf("%s: no %s %s with %q: %s", name, status, reason, message, describe(report.Status.Conditions))
		}
	}
	return nil
}

// testAvailability: a ratio of a counter has a verdict, figures and burn rates.
func testAvailability(t *testing.T, client *versioned.Clientset) {
	t.Helper()
	report := wantVerdict(t, client, "api-availability", 2*window, v1alpha1.VerdictMet)
	status := report.Status
	if report.Spec.Indicator.Type != v1alpha1.IndicatorRatio || status.Requests == nil || *status.Requests == 0 || len(status.RequestBurnRates) != 3 {
		t.Errorf("%+v, %s requests, burn rates %+v", report.Spec, figure(status.Requests), status.RequestBurnRates)
	}
}
