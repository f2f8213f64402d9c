// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

const (
	mutating          = "api-latency-mutating"
	readonlyResource  = "api-latency-readonly-resource"
	readonlyNamespace = "api-latency-readonly-namespace"
	readonlyCluster   = "api-latency-readonly-cluster"
	podStartup        = "pod-startup-latency"
)

func getReport(t *testing.T, client *versioned.Clientset, name string) (*v1alpha1.SLOReport, error) {
	t.Helper()
	return client.SloV1alpha1().SLOReports().Get(t.Context(), name, metav1.GetOptions{})
}

func getHeadroom(t *testing.T, client *versioned.Clientset, name string) (*v1alpha1.APFHeadroom, error) {
	t.Helper()
	return client.SloV1alpha1().APFHeadrooms().Get(t.Context(), name, metav1.GetOptions{})
}

// wantVerdict waits for a verdict and returns the report.
func wantVerdict(t *testing.T, client *versioned.Clientset, name string, timeout time.Duration, verdicts ...v1alpha1.Verdict) *v1alpha1.SLOReport {
	t.Helper()
	var report *v1alpha1.SLOReport
	eventually(t, timeout, fmt.Sprintf("%s is %v", name, verdicts), func() (err error) {
		if report, err = getReport(t, client, name); err != nil {
			return err
		}
		if !slices.Contains(verdicts, report.Status.Verdict) {
			return fmt.Errorf("verdict %s: %s", report.Status.Verdict, describe(report.Status.Conditions))
		}
		return nil
	})
	return report
}

// wantPressure waits for a pressure and returns the headroom.
func wantPressure(t *testing.T, client *versioned.Clientset, name string, timeout time.Duration, pressures ...v1alpha1.Pressure) *v1alpha1.APFHeadroom {
	t.Helper()
	var headroom *v1alpha1.APFHeadroom
	eventually(t, timeout, fmt.Sprintf("%s is %v", name, pressures), func() (err error) {
		if headroom, err = getHeadroom(t, client, name); err != nil {
			return err
		}
		if !slices.Contains(pressures, headroom.Status.Pressure) {
			return fmt.Errorf("pressure %s: %s", headroom.Status.Pressure, describe(headroom.Status.Conditions))
		}
		return nil
	})
	return headroom
}

func describe(conditions []metav1.Condition) (text string) {
	for _, c := range conditions {
		text += fmt.Sprintf("[%s=%s %s: %s]", c.Type, c.Status, c.Reason, c.Message)
	}
	return text
}

// wantCondition checks a condition's status, and its reason unless that is "".
func wantCondition(t *testing.T, conditions []metav1.Condition, conditionType string, status metav1.ConditionStatus, reason string) {
	t.Helper()
	c := meta.FindStatusCondition(conditions, conditionType)
	if c == nil || c.Status != status || (reason != "" && c.Reason != reason) {
		t.Errorf("condition %s is not %s %s: %s", conditionType, status, reason, describe(conditions))
	}
}

// settled waits until windows are full and nothing is violated or under pressure
// on either server.
func settled(t *testing.T) {
	t.Helper()
	good := []v1alpha1.Verdict{v1alpha1.VerdictMet, v1alpha1.VerdictNoTraffic}
	calm := []v1alpha1.Pressure{v1alpha1.PressureOk, v1alpha1.PressureIdle}
	for _, client := range []*versioned.Clientset{lab.slo, lab.viaPrometheus} {
		for _, name := range []string{mutating, readonlyResource, readonlyNamespace, readonlyCluster} {
			wantVerdict(t, client, name, 4*window, good...)
		}
		wantPressure(t, client, "workload-low", 4*window, calm...)
	}
}
