// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// The indicator leaves out webhooks: callers wait for a sleeping one, and the
// objective is met all the same.
func TestSleepingWebhook(t *testing.T) {
	settled(t)
	lab.load(t, "mixed")
	lab.do(t, "webhook", webhookSleeps.String())
	t.Cleanup(func() { lab.do(t, "webhook", "off") })
	namespace := webhookNamespace(t)
	slowest := createConfigMaps(t, namespace, 8)
	wantVerdict(t, lab.slo, mutating, window, v1alpha1.VerdictMet)
	wantWebhook(t, slowest)
}

// createConfigMaps through the webhook, at one time, and return how long the slowest
// took.
func createConfigMaps(t *testing.T, namespace string, number int) (slowest time.Duration) {
	t.Helper()
	took := make(chan time.Duration, number)
	for i := range number {
		go func() {
			started := time.Now()
			_, err := lab.admin.CoreV1().ConfigMaps(namespace).Create(t.Context(),
				&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("slow-%d", i)}}, metav1.CreateOptions{})
			if err != nil {
				t.Error(err)
			}
			took <- time.Since(started)
		}()
	}
	for range number {
		one := <-took
		if one < webhookSleeps {
			t.Errorf("a creation took %s, want the %s of the webhook", one, webhookSleeps)
		}
		slowest = max(slowest, one)
	}
	return slowest
}

// webhookSleeps is how long the webhook takes for a call.
const webhookSleeps = 2 * time.Second

// wantWebhook: the report is met, no request is slow, and its finding is that callers
// wait for the webhook all the same: for as many calls, and as long, as the
// kube-apiserver has counted, which is between its sleep and the slowest caller.
func wantWebhook(t *testing.T, slowest time.Duration) {
	t.Helper()
	// No test before calls it: all calls are in the window.
	const series = `apiserver_admission_webhook_admission_duration_seconds_%s{name="lab-slow.example.com",operation="CREATE",rejected="false",type="validating"}`
	calls, _ := sampleOf(t, lab.state.APIServers[0], fmt.Sprintf(series, "count"))
	seconds, _ := sampleOf(t, lab.state.APIServers[0], fmt.Sprintf(series, "sum"))
	// The cluster itself creates one ConfigMap in a new namespace.
	if calls != 9 {
		t.Errorf("%v calls of the webhook", calls)
	}
	eventually(t, 4*interval, fmt.Sprintf("%v calls of the webhook of %.3f s are reported", calls, seconds), func() error {
		report, err := getReport(t, lab.slo, mutating)
		if err != nil {
			return err
		}
		status := report.Status
		if status.Overhead == nil || len(status.Overhead.Webhooks) != 1 {
			return fmt.Errorf("overhead %+v", status.Overhead)
		}
		w := status.Overhead.Webhooks[0]
		if w.Calls != int64(calls) || math.Abs(float64(w.Milliseconds)-1000*seconds) > 1 {
			return fmt.Errorf("webhook %+v", w)
		}
		if w.Name != "lab-slow.example.com" || w.Type != v1alpha1.WebhookValidating || w.PerCallMilliseconds < webhookSleeps.Milliseconds() || w.PerCallMilliseconds > slowest.Milliseconds() {
			t.Errorf("webhook %+v, the slowest caller waited %s", w, slowest)
		}
		if status.Verdict != v1alpha1.VerdictMet || status.SlowRequests == nil || *status.SlowRequests != 0 {
			t.Errorf("%s, slow requests %s", status.Verdict, figure(status.SlowRequests))
		}
		const want = `^Met, but callers wait .* such as POST configmaps: validating webhook lab-slow\.example\.com \(2\.[0-9]s a call\)`
		if !regexp.MustCompile(want).MatchString(status.Finding) {
			return fmt.Errorf("finding %q, want %s", status.Finding, want)
		}
		t.Logf("%s; overhead %+v", status.Finding, status.Overhead)
		return nil
	})
}

// webhookNamespace is one whose ConfigMaps the lab's webhook looks at.
func webhookNamespace(t *testing.T) string {
	t.Helper()
	namespace, err := lab.admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-webhook-", Labels: map[string]string{"slo-lab": "webhook"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = lab.admin.CoreV1().Namespaces().Delete(context.Background(), namespace.Name, metav1.DeleteOptions{})
	})
	// The ConfigMap that the cluster creates itself passes the webhook, too: it would be
	// counted at any time later.
	eventually(t, 4*interval, "the namespace has the certificates of the cluster", func() error {
		_, err := lab.admin.CoreV1().ConfigMaps(namespace.Name).Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
	return namespace.Name
}
