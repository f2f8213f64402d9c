// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Who may ask about itself may not ask about others.
func testReviewAccess(t *testing.T) {
	const user = "e2e-self"
	bind(t, "slo-apiserver:self-classifier", user)
	asked := request{user: user, verb: "list", resource: "pods"}
	var answer *v1alpha1.SelfAPFClassification
	eventually(t, 30*time.Second, "a user asks about itself", func() (err error) {
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
