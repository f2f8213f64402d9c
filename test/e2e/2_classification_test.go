// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func TestClassification(t *testing.T) {
	t.Run("every schema of the cluster", testEverySchema)
	t.Run("catch-all", testCatchAll)
	t.Run("random schemas", testRandomSchemas)
	t.Run("access", testReviewAccess)
	t.Run("kubectl", testReviewKubectl)
}

// A request of each flow schema: the kube-apiserver answers with the UIDs of the
// flow schema and the level that the review has named.
func testEverySchema(t *testing.T) {
	eventually(t, window, "the levels have been measured", func() error {
		headroom, err := getHeadroom(t, lab.slo, "global-default")
		if err == nil && headroom.Status.Worst == nil {
			err = errors.New(describe(headroom.Status.Conditions))
		}
		return err
	})
	list, err := lab.admin.FlowcontrolV1().FlowSchemas().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{"catch-all": false}
	for _, fs := range list.Items {
		missing[fs.Name] = fs.Name != "catch-all" // global-default takes all of its requests
	}
	const nodes = "system:nodes"
	for _, asked := range []struct {
		schema string
		request
	}{
		{"exempt", request{user: "admin", groups: []string{"system:masters"}, verb: "list", resource: "pods"}},
		{"probes", request{user: "system:anonymous", verb: "get", path: "/livez"}},
		{"system-leader-election", request{user: "system:kube-scheduler", verb: "get", group: "coordination.k8s.io", resource: "leases", namespace: "kube-system", name: "absent"}},
		{"system-node-high", request{user: "system:node:absent", groups: []string{nodes}, verb: "get", resource: "nodes", name: "absent"}},
		{"system-nodes", request{user: "system:node:absent", groups: []string{nodes}, verb: "watch", resource: "services"}},
		{"kube-controller-manager", request{user: "system:kube-controller-manager", verb: "list", resource: "pods", namespace: "default"}},
		{"kube-scheduler", request{user: "system:kube-scheduler", verb: "watch", resource: "pods"}},
		{"kube-system-service-accounts", request{user: "system:serviceaccount:kube-system:absent", verb: "list", resource: "pods"}},
		{"slo-apiserver", request{user: "system:serviceaccount:slo-system:slo-apiserver", verb: "get", path: "/metrics"}},
		{"service-accounts", request{user: "system:serviceaccount:default:absent", verb: "list", resource: "configmaps", namespace: "default"}},
		{"global-default", request{user: "alice", verb: "create", resource: "pods", namespace: "default"}},
		{"global-default", request{user: "system:anonymous", verb: "get", path: "/version"}},
		{"global-default", request{user: "alice", verb: "delete", resource: "namespaces", name: "absent"}},
	} {
		missing[asked.schema] = false
		answer := asked.ask(t)
		if err := asked.compare(t, answer); err != nil {
			t.Error(err)
		} else if answer.FlowSchema.Name != asked.schema {
			t.Errorf("%s: %s", asked, answer.Reason)
		}
		wantHeadroom(t, asked.request, answer)
	}
	for schema, isMissing := range missing {
		if isMissing {
			t.Errorf("no request of %s was tried", schema)
		}
	}
	// It is not classified: no header says anything.
	logs := request{user: "alice", verb: "get", resource: "pods", namespace: "default", name: "absent", subresource: "log"}
	if answer := logs.ask(t); answer.Treatment != v1alpha1.TreatmentLongRunning {
		t.Errorf("%s: %+v", logs, answer)
	} else if err := logs.compare(t, answer); err != nil {
		t.Error(err)
	}
}

// wantHeadroom checks that the answer has the headroom of the level: it moves, so
// only what does not is compared.
func wantHeadroom(t *testing.T, r request, answer *v1alpha1.APFClassificationStatus) {
	t.Helper()
	headroom, err := getHeadroom(t, lab.slo, answer.PriorityLevel.Name)
	if err != nil {
		t.Fatal(err)
	}
	unlimited := headroom.Spec.Type == "Exempt"
	if answer.Headroom == nil || unlimited != (answer.Headroom.HeadroomSeats == nil) || answer.Headroom.Instance == "" {
		t.Errorf("%s: headroom %+v, %s", r, answer.Headroom, answer.HeadroomProblem)
	}
	if response := headroom.Spec.LimitResponse; response != nil && response.HandSize != nil {
		if answer.Queue == nil || len(answer.Queue.Hand) != int(*response.HandSize) || answer.Queue.Queues != *response.Queues {
			t.Errorf("%s: queue %+v, want a hand of %d out of %d", r, answer.Queue, *response.HandSize, *response.Queues)
		}
	} else if answer.Queue != nil {
		t.Errorf("%s: queue %+v in level %s", r, answer.Queue, headroom.Name)
	}
}

// Only when global-default has no rule for them do requests come to catch-all.
func testCatchAll(t *testing.T) {
	const name = "global-default"
	var before *flowcontrolv1.FlowSchema
	change := func(ctx context.Context, change func(*flowcontrolv1.FlowSchema)) error {
		return retry.RetryOnConflict(retry.DefaultRetry, func() error {
			fs, err := lab.admin.FlowcontrolV1().FlowSchemas().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if before == nil {
				before = fs.DeepCopy()
			}
			change(fs)
			_, err = lab.admin.FlowcontrolV1().FlowSchemas().Update(ctx, fs, metav1.UpdateOptions{})
			return err
		})
	}
	t.Cleanup(func() {
		err := change(context.Background(), func(fs *flowcontrolv1.FlowSchema) { fs.Annotations, fs.Spec = before.Annotations, before.Spec })
		if err != nil {
			t.Error(err)
		}
	})
	// Without the annotation the kube-apiserver takes the change back.
	err := change(t.Context(), func(fs *flowcontrolv1.FlowSchema) {
		fs.Annotations = maps.Clone(fs.Annotations)
		fs.Annotations[flowcontrolv1.AutoUpdateAnnotationKey] = "false"
		for i := range fs.Spec.Rules {
			fs.Spec.Rules[i].Subjects = []flowcontrolv1.Subject{{Kind: "User", User: &flowcontrolv1.UserSubject{Name: "e2e-nobody"}}}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := request{user: "alice", verb: "get", path: "/version"}
	eventually(t, 30*time.Second, "catch-all", func() error {
		answer := asked.ask(t)
		if answer.FlowSchema.Name != "catch-all" || answer.Treatment != v1alpha1.TreatmentReject {
			return errors.New(answer.Reason)
		}
		return asked.compare(t, answer)
	})
}

// Requests of users of the test, under random schemas for these users.
func testRandomSchemas(t *testing.T) {
	own, passedOver := 0, 0
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 8))
			prefix := fmt.Sprintf("e2e-%d-", seed)
			for i := range 10 {
				createSchema(t, randomSchema(r, prefix+string(rune('a'+r.IntN(26)))+fmt.Sprint(i)))
			}
			requests := make([]request, 150)
			for i := range requests {
				requests[i] = randomRequest(r)
			}
			// All at one time, once what was created is in force everywhere.
			eventually(t, 30*time.Second, "all answers are those of the kube-apiserver", func() error {
				if err := digested(t, prefix); err != nil {
					return err
				}
				ownNow, passedOverNow, err := compareAll(t, requests, prefix)
				if err == nil {
					own, passedOver = own+ownNow, passedOver+passedOverNow
				}
				return err
			})
		})
	}
	t.Logf("%d requests of random schemas, %d passed over", own, passedOver)
	if own < 80 || passedOver < 10 {
		t.Error("too few to tell")
	}
}

// compareAll returns how many requests are of schemas with a prefix, and how many
// of these were passed over.
func compareAll(t *testing.T, requests []request, prefix string) (own, passedOver int, err error) {
	t.Helper()
	for _, asked := range requests {
		answer := asked.ask(t)
		if err := asked.compare(t, answer); err != nil {
			return 0, 0, err
		}
		passedOver += len(answer.PassedOver)
		if strings.HasPrefix(answer.FlowSchema.Name, prefix) {
			own++
		}
	}
	return own, passedOver, nil
}

// digested tells whether the kube-apiserver has taken all schemas: each has a status.
func digested(t *testing.T, prefix string) error {
	list, err := lab.admin.FlowcontrolV1().FlowSchemas().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, fs := range list.Items {
		if strings.HasPrefix(fs.Name, prefix) && len(fs.Status.Conditions) == 0 {
			return fmt.Errorf("%s is new", fs.Name)
		}
	}
	return nil
}
