// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// The width of a LIST, by the kube-apiserver's own count of estimated seats.
func testWidth(t *testing.T) {
	const name = "e2e-width"
	fs := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}}
	fs.Spec.PriorityLevelConfiguration.Name, fs.Spec.MatchingPrecedence = "workload-low", 2
	fs.Spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{{
		Subjects:      []flowcontrolv1.Subject{{Kind: "User", User: &flowcontrolv1.UserSubject{Name: name}}},
		ResourceRules: []flowcontrolv1.ResourcePolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, ClusterScope: true, Namespaces: []string{"*"}}},
	}}
	createSchema(t, fs)
	namespace := manyConfigMaps(t, 60, 20_000)
	small, err := clientcmd.BuildConfigFromFlags("", lab.state.AdminSmallKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	var counts *v1alpha1.ClassifiedCounts
	eventually(t, 4*time.Minute, "the kube-apiserver has counted the ConfigMaps", func() (err error) {
		counts, err = storedConfigMaps(t, lab.state.APIServers[0])
		if err == nil && *counts.StoredObjects < 60 {
			err = fmt.Errorf("%d stored", *counts.StoredObjects)
		}
		return err
	})
	for _, options := range []*v1alpha1.ClassifiedListOptions{
		nil,
		{Limit: 10},
		{ResourceVersion: "0"},
		{FieldSelector: "metadata.name=absent"},
		{LabelSelector: "a=b", Limit: 30, ResourceVersion: "1"}, // exact, and so from etcd
	} {
		asked := request{user: name, verb: "list", resource: "configmaps", namespace: namespace, options: options}
		vague := asked.ask(t).Width.InitialSeats
		asked.counts = counts
		width := asked.ask(t).Width
		// The small kube-apiserver has so few seats that it counts every request as one.
		big, small := measuredSeats(t, lab.config, lab.state.APIServers[0], asked), measuredSeats(t, small, lab.state.APIServers[1], asked)
		t.Logf("%+v of %d objects of %d bytes: %v and %v seats, estimated %+v, without counts %+v",
			options, *counts.StoredObjects, *counts.AverageObjectBytes, small, big, width.InitialSeats, vague)
		if float64(width.InitialSeats.AtLeast) != small || float64(width.InitialSeats.AtMost) != big || len(width.Unknown) != 0 {
			t.Errorf("%+v: %v and %v seats, estimated %+v", options, small, big, width)
		}
		if vague.AtLeast > width.InitialSeats.AtLeast || vague.AtMost < width.InitialSeats.AtMost {
			t.Errorf("%+v: %+v without counts", options, vague)
		}
	}
}

// Who may ask about itself may not ask about others.
func testReviewAccess(t *testing.T) {
	const user = "e2e-self"
	binding, err := lab.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "slo-apiserver:self-classifier"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = lab.admin.RbacV1().ClusterRoleBindings().Delete(context.Background(), binding.Name, metav1.DeleteOptions{})
	})
	asked := request{user: user, verb: "list", resource: "pods"}
	var answer *v1alpha1.SelfAPFClassification
	eventually(t, 30*time.Second, "a user asks about itself", func() error {
		answer, err = as(t, user).SloV1alpha1().SelfAPFClassifications().Create(t.Context(),
			&v1alpha1.SelfAPFClassification{Spec: v1alpha1.SelfAPFClassificationSpec{ClassifiedRequest: asked.attributes()}}, metav1.CreateOptions{})
		return err
	})
	if u := answer.Status.User; u == nil || u.Name != user || !slices.Equal(u.Groups, []string{"system:authenticated"}) {
		t.Errorf("asked about %+v", u)
	}
	if err := asked.compare(t, &answer.Status); err != nil {
		t.Error(err)
	}
	if _, err := as(t, user).SloV1alpha1().APFClassifications().Create(t.Context(), asked.review(), metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a user that may ask about itself asks about a user: %v, want 403", err)
	}
	if _, err := as(t, "nobody").SloV1alpha1().SelfAPFClassifications().Create(t.Context(), &v1alpha1.SelfAPFClassification{}, metav1.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a user without rights: %v, want 403", err)
	}
}

func testReviewKubectl(t *testing.T) {
	file := filepath.Join(t.TempDir(), "review.json")
	write := func(r request) {
		review := r.review()
		review.APIVersion, review.Kind = v1alpha1.SchemeGroupVersion.String(), "APFClassification"
		data, err := json.Marshal(review)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for version, binary := range kubectls(t) {
		write(request{user: "system:serviceaccount:shop:cart", verb: "list", resource: "configmaps", namespace: "shop"})
		out, stderr, err := kubectl(t, binary, "create", "-f", file, "-o", "yaml")
		for _, want := range []string{"name: service-accounts", "name: workload-low", "treatment: Queue", "distinguisher: system:serviceaccount:shop:cart", "- StoredObjects"} {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("%s: no %q: %v\n%s%s", version, want, err, out, stderr)
			}
		}
		if version == "lab" {
			t.Log(out)
		}
		write(request{user: "alice", verb: "impersonate", resource: "users"})
		if _, stderr, err := kubectl(t, binary, "create", "-f", file); err == nil || !strings.Contains(stderr, "spec.resourceAttributes.verb: Unsupported value") {
			t.Errorf("%s: a verb of no request: %v, %s", version, err, stderr)
		}
		for _, field := range []string{"apfclassification.status.width", "selfapfclassification.spec.resourceAttributes"} {
			if out, stderr, err := kubectl(t, binary, "explain", field); err != nil || !strings.Contains(out, "FIELDS:") {
				t.Errorf("%s: explain %s: %v\n%s%s", version, field, err, out, stderr)
			}
		}
	}
}
