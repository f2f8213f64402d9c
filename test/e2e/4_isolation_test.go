// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// isolate gives the noisy client a level of its own: a flow schema before all of the
// suggested ones, for what is noisy alone. It goes on, and the others are free.
//
// The others are two service accounts that ask for little, and share the level of the
// noisy one. So that they suffer from it, some of its callers are slow to read: each
// seat is taken for seconds. A cheap request alone would hardly wait: queues are fair.
func isolate(t *testing.T, level string) {
	t.Helper()
	small := lab.state.APIServers[1]
	slow := call(t, small, serviceAccount("lab-load-lists", "flood"), http.MethodGet, "/api/v1/namespaces/lab-load-lists/configmaps?timeout=34s", "")
	slow.reading = 5 * time.Second
	slow.add(40)
	var others neighbors
	for _, name := range []string{"e2e-neighbor-a", "e2e-neighbor-b"} {
		user := serviceAccount("default", name)
		allow(t, small, "view", user, "list", "default")
		// Such a request waits for a seat for a second at most.
		c := call(t, small, user, http.MethodGet, "/api/v1/namespaces/default/configmaps?limit=1&timeout=4s", "")
		c.pause = backoff
		c.add(2)
		others = append(others, c)
	}
	eventually(t, window, "neighbors are turned away", func() error {
		if got := others.counts(); got[http.StatusTooManyRequests] == 0 {
			return fmt.Errorf("they were answered %v", got)
		}
		return nil
	})

	createSchema(t, schemaOf(level))
	wantClassified(t, "flood", level, level)
	// What was sent before waits, or runs, in the old level still.
	var isolated map[int]int
	since := time.Now()
	eventually(t, window, "neighbors are free", func() error {
		if got := others.counts(); isolated == nil || got[http.StatusTooManyRequests] > isolated[http.StatusTooManyRequests] {
			isolated, since = got, time.Now()
		}
		if calm := time.Since(since); calm < 2*interval {
			return fmt.Errorf("the last ones were turned away %s ago", calm)
		}
		return nil
	})
	noisyBefore := slow.counts()

	wantPressure(t, lab.slo, "workload-low", 4*window, v1alpha1.PressureOk, v1alpha1.PressureIdle)
	queueing := wantPressure(t, lab.slo, level, window, v1alpha1.PressureQueueing, v1alpha1.PressureRejecting)
	if len(queueing.Status.FlowSchemas) == 0 || queueing.Status.FlowSchemas[0].Name != level {
		t.Errorf("%s is used by %+v, want %s", level, queueing.Status.FlowSchemas, level)
	}
	free := others.counts()
	t.Logf("neighbors were answered %v, of which %v until they were free; the slow of the noisy ones %v, of which %v until then", free, isolated, slow.counts(), noisyBefore)
	if free[http.StatusTooManyRequests] != isolated[http.StatusTooManyRequests] || free[http.StatusOK]-isolated[http.StatusOK] < 50 || len(free) > 2 {
		t.Errorf("neighbors were answered %v in the end, after %v, want 200 only since", free, isolated)
	}
	if slow.counts()[http.StatusTooManyRequests] == noisyBefore[http.StatusTooManyRequests] {
		t.Errorf("the noisy one was turned away no more, after %v", noisyBefore)
	}
}

// neighbors share a level with others.
type neighbors []*callers

// counts of all answers by status.
func (n neighbors) counts() map[int]int {
	sum := map[int]int{}
	for _, c := range n {
		for status, number := range c.counts() {
			sum[status] += number
		}
	}
	return sum
}

// schemaOf the level for the noisy one, named as the level.
func schemaOf(level string) *flowcontrolv1.FlowSchema {
	return &flowcontrolv1.FlowSchema{
		ObjectMeta: metav1.ObjectMeta{Name: level},
		Spec: flowcontrolv1.FlowSchemaSpec{
			MatchingPrecedence:         8000,
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: level},
			DistinguisherMethod:        &flowcontrolv1.FlowDistinguisherMethod{Type: flowcontrolv1.FlowDistinguisherMethodByUserType},
			Rules: []flowcontrolv1.PolicyRulesWithSubjects{{
				Subjects: []flowcontrolv1.Subject{{
					Kind:           flowcontrolv1.SubjectKindServiceAccount,
					ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: "lab-load-lists", Name: "flood"},
				}},
				ResourceRules: []flowcontrolv1.ResourcePolicyRule{{
					Verbs: []string{"list"}, APIGroups: []string{""}, Resources: []string{"configmaps"}, Namespaces: []string{"*"},
				}},
			}},
		},
	}
}
