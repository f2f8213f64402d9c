// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// stays checks what no outage of a backend may touch: discovery is fast, the
// objects are there, and the APIService is Available.
func stays(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for name, client := range clients() {
		if err := client.RESTClient().Get().AbsPath("/apis/slo.example.io/v1alpha1").Do(ctx).Error(); err != nil {
			t.Errorf("%s: discovery: %v", name, err)
		}
		reports, err := client.SloV1alpha1().SLOReports().List(ctx, metav1.ListOptions{})
		if err != nil || len(reports.Items) != 5 {
			t.Errorf("%s: reports: %v, %v", name, reports, err)
		}
		headrooms, err := client.SloV1alpha1().APFHeadrooms().List(ctx, metav1.ListOptions{})
		if err != nil || len(headrooms.Items) < 8 {
			t.Errorf("%s: headrooms: %v, %v", name, headrooms, err)
		}
	}
	out, stderr, err := kubectl(t, kubectls(t)["lab"], "get", "apiservice", "v1alpha1.slo.example.io",
		"-o", `jsonpath={.status.conditions[?(@.type=="Available")].status}`)
	if err != nil || out != "True" {
		t.Errorf("APIService available: %q, %v %s", out, err, stderr)
	}
}

// wantReason waits for a condition of a report with a reason.
func wantReason(t *testing.T, client *versioned.Clientset, name, conditionType, reason string) {
	t.Helper()
	eventually(t, 3*window, fmt.Sprintf("%s of %s for %s", conditionType, name, reason), func() error {
		report, err := getReport(t, client, name)
		if err != nil {
			return err
		}
		if c := meta.FindStatusCondition(report.Status.Conditions, conditionType); c == nil || c.Reason != reason {
			return fmt.Errorf("%s", describe(report.Status.Conditions))
		}
		return nil
	})
}

func wantComplete(t *testing.T, client *versioned.Clientset, name string) {
	t.Helper()
	wantReason(t, client, name, v1alpha1.ConditionDataComplete, "AllInstancesObserved")
}

func TestPrometheusStops(t *testing.T) {
	wantComplete(t, lab.viaPrometheus, mutating)
	lab.do(t, "stop", "prometheus")
	t.Cleanup(func() { lab.do(t, "start", "prometheus") })
	wantReason(t, lab.viaPrometheus, mutating, v1alpha1.ConditionDataComplete, "Stale")
	stays(t)
	wantReason(t, lab.viaPrometheus, mutating, v1alpha1.ConditionMet, "SourceUnavailable")
	headroom, err := getHeadroom(t, lab.viaPrometheus, "workload-low")
	if err != nil {
		t.Fatal(err)
	}
	if headroom.Status.Pressure != v1alpha1.PressureUnknown {
		t.Errorf("pressure without a source: %s", headroom.Status.Pressure)
	}
	stays(t)
	lab.do(t, "start", "prometheus")
	wantComplete(t, lab.viaPrometheus, mutating)
}

func TestOneKubeAPIServerStops(t *testing.T) {
	lab.load(t, "mixed")
	wantVerdict(t, lab.slo, mutating, 3*window, v1alpha1.VerdictMet)
	lab.do(t, "stop", "small")
	t.Cleanup(func() { lab.do(t, "start", "small") })
	small := lab.state.APIServers[1].Address
	for _, client := range clients() {
		wantReason(t, client, mutating, v1alpha1.ConditionDataComplete, "InstancesMissing")
		report, err := getReport(t, client, mutating)
		if err != nil {
			t.Fatal(err)
		}
		if report.Status.Verdict == v1alpha1.VerdictMet {
			t.Error("met without one of two kube-apiservers")
		}
		if i := report.Status.Instances; i == nil || i.Expected != 2 || i.Observed != 1 || len(i.Missing) != 1 || i.Missing[0] != small {
			t.Errorf("instances %+v, want %s missing", i, small)
		}
		headroom, err := getHeadroom(t, client, "workload-low")
		if err != nil {
			t.Fatal(err)
		}
		if p := headroom.Status.Pressure; p == v1alpha1.PressureOk || p == v1alpha1.PressureIdle {
			t.Errorf("pressure %s without one of two kube-apiservers", p)
		}
	}
	stays(t)
	lab.do(t, "start", "small")
	// Its counters began anew.
	exact(t, lab.recorded)
	for _, client := range clients() {
		wantComplete(t, client, mutating)
	}
	wantVerdict(t, lab.slo, mutating, 3*window, v1alpha1.VerdictMet)
}

func TestAllKubeletsStop(t *testing.T) {
	t.Parallel()
	lab.do(t, "stop", "kubelets")
	t.Cleanup(func() { lab.do(t, "start", "kubelets") })
	for _, client := range clients() {
		wantReason(t, client, podStartup, v1alpha1.ConditionDataComplete, "NoInstances")
		report, err := getReport(t, client, podStartup)
		if err != nil {
			t.Fatal(err)
		}
		if report.Status.Verdict != v1alpha1.VerdictUnknown {
			t.Errorf("verdict %s without kubelets", report.Status.Verdict)
		}
		wantComplete(t, client, mutating)
	}
	stays(t)
	lab.do(t, "start", "kubelets")
	lab.load(t, "pods")
	for _, client := range clients() {
		wantComplete(t, client, podStartup)
		wantVerdict(t, client, podStartup, 4*window, v1alpha1.VerdictMet)
	}
}
