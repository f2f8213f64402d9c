// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ownLevel is a priority level for the callers of one service account, who hold
// seats as long as a webhook sleeps.
type ownLevel struct {
	name    string
	limited flowcontrolv1.LimitedPriorityLevelConfiguration
	// timeout of a request in seconds; it may wait in a queue for a quarter of it.
	timeout int
}

var (
	reject = flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject}
	queue  = flowcontrolv1.LimitResponse{
		Type:    flowcontrolv1.LimitResponseTypeQueue,
		Queuing: &flowcontrolv1.QueuingConfiguration{Queues: 4, HandSize: 2, QueueLengthLimit: 50},
	}
)

// limited is the configuration of a level that lends nothing. It borrows without a
// limit when borrowing is nil.
func limited(shares int32, borrowing *int32, response flowcontrolv1.LimitResponse) flowcontrolv1.LimitedPriorityLevelConfiguration {
	return flowcontrolv1.LimitedPriorityLevelConfiguration{
		NominalConcurrencyShares: &shares, LendablePercent: new(int32(0)), BorrowingLimitPercent: borrowing, LimitResponse: response,
	}
}

// create makes the level and a flow schema of the same name. The returned function
// deletes both.
func (l ownLevel) create(t *testing.T) (remove func()) {
	t.Helper()
	levels, schemas := lab.admin.FlowcontrolV1().PriorityLevelConfigurations(), lab.admin.FlowcontrolV1().FlowSchemas()
	level := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: l.name}}
	level.Spec.Type, level.Spec.Limited = flowcontrolv1.PriorityLevelEnablementLimited, &l.limited
	schema := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: l.name}}
	schema.Spec.PriorityLevelConfiguration.Name, schema.Spec.MatchingPrecedence = l.name, 500
	schema.Spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{{
		Subjects: []flowcontrolv1.Subject{{
			Kind: flowcontrolv1.SubjectKindServiceAccount, ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: "e2e-levels", Name: l.name},
		}},
		ResourceRules: []flowcontrolv1.ResourcePolicyRule{{
			Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, ClusterScope: true, Namespaces: []string{"*"},
		}},
	}}
	remove = func() {
		_ = schemas.Delete(context.Background(), l.name, metav1.DeleteOptions{})
		_ = levels.Delete(context.Background(), l.name, metav1.DeleteOptions{})
	}
	t.Cleanup(remove)
	if _, err := levels.Create(t.Context(), level, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := schemas.Create(t.Context(), schema, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return remove
}

// hold are callers who take seats in the large kube-apiserver: what they create
// waits for the webhook, and is not stored.
func (l ownLevel) hold(t *testing.T, namespace string) *callers {
	t.Helper()
	allow(t, lab.state.APIServers[0], "edit", l.user(), "create", namespace)
	path := fmt.Sprintf("/api/v1/namespaces/%s/configmaps?dryRun=All&timeout=%ds", namespace, l.timeout)
	return call(t, lab.state.APIServers[0], l.user(), http.MethodPost, path, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"held-"}}`)
}

// user whose requests the level is for.
func (l ownLevel) user() string { return serviceAccount("e2e-levels", l.name) }

// wantKnown waits until requests are classified into the level, and both
// kube-apiservers have its limits.
func (l ownLevel) wantKnown(t *testing.T, namespace string) {
	t.Helper()
	asked := request{user: l.user(), verb: "create", resource: "configmaps", namespace: namespace}
	eventually(t, 4*interval, l.name+" is known", func() error {
		if got := asked.ask(t); got.FlowSchema == nil || got.FlowSchema.Name != l.name || got.PriorityLevel.Name != l.name {
			return fmt.Errorf("classified by %+v to %+v", got.FlowSchema, got.PriorityLevel)
		}
		for _, server := range lab.state.APIServers {
			if _, known := limitsOf(t, server)[l.name]; !known {
				return fmt.Errorf("not to %s", server.Name)
			}
		}
		return nil
	})
}
