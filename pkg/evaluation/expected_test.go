// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// A Prometheus that has just started knows one of two kube-apiservers: what that one
// says is not what the cluster does. What the cluster knows is asked every time.
func TestFewerKubeAPIServersThanExpected(t *testing.T) {
	e, clock := newEvaluator(t, &traffic{}, fakeCluster{})
	config := e.Config
	var expected map[sources.Component]int
	config.Expected = func() map[sources.Component]int { return expected }
	e, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		expected map[sources.Component]int
		status   metav1.ConditionStatus
		reason   string
	}{
		{"not known", nil, metav1.ConditionTrue, slo.ReasonAllKeysHold},
		{"one more", map[sources.Component]int{sources.KubeAPIServer: 2}, metav1.ConditionUnknown, slo.ReasonTooFewInstances},
		{"that one", map[sources.Component]int{sources.KubeAPIServer: 1}, metav1.ConditionTrue, slo.ReasonAllKeysHold},
	} {
		expected = c.expected
		clock.Step(interval)
		got := condition(t, latest(t, e), mutating, v1alpha1.ConditionMet)
		if got.Status != c.status || got.Reason != c.reason {
			t.Errorf("%s: %s %s: %s, want %s %s", c.name, got.Status, got.Reason, got.Message, c.status, c.reason)
		}
		for _, h := range latest(t, e).Headrooms {
			complete := meta.FindStatusCondition(h.Status.Conditions, v1alpha1.ConditionDataComplete)
			if few := complete.Reason == apf.ReasonTooFewInstances; few != (c.reason == slo.ReasonTooFewInstances) {
				t.Errorf("%s: level %s: %s %s", c.name, h.Name, complete.Status, complete.Reason)
			}
		}
	}
}
