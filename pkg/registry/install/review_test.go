// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package install_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// catchAll puts every request into catch-all.
type catchAll struct{}

func (catchAll) ClassifyUser(_ context.Context, name string, groups []string, _ *slo.ClassifiedRequest) (*slo.APFClassificationStatus, error) {
	return &slo.APFClassificationStatus{
		Treatment: slo.TreatmentReject, User: &slo.ClassifiedUser{Name: name, Groups: groups},
		FlowSchema: &slo.MatchedFlowSchema{Name: "catch-all"},
	}, nil
}

func (c catchAll) ClassifyCaller(ctx context.Context, caller user.Info, r *slo.ClassifiedRequest) (*slo.APFClassificationStatus, error) {
	return c.ClassifyUser(ctx, caller.GetName(), caller.GetGroups(), r)
}

func TestReviewIsAnsweredAndNotStored(t *testing.T) {
	config := serve(t, &reports{})
	client, err := versioned.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	reviews := client.SloV1alpha1().APFClassifications()
	review := &slo.APFClassification{Spec: slo.APFClassificationSpec{
		User:              "alice",
		ClassifiedRequest: slo.ClassifiedRequest{ResourceAttributes: &slo.ClassifiedResource{Verb: "list", Resource: "pods"}},
	}}
	answer, err := reviews.Create(t.Context(), review, metav1.CreateOptions{FieldManager: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status.FlowSchema == nil || answer.Status.FlowSchema.Name != "catch-all" || answer.Status.User.Name != "alice" || answer.Spec.User != "alice" {
		t.Errorf("%+v", answer)
	}
	review.Spec.ResourceAttributes.Verb = "bind"
	_, err = reviews.Create(t.Context(), review, metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.resourceAttributes.verb") {
		t.Errorf("create with a verb of no request: %v", err)
	}
	for _, resource := range []string{"/apfclassifications", "/selfapfclassifications"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut} {
			if code, body := call(t, config, method, group+resource, "application/json"); code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d %s, want 405", method, resource, code, body)
			}
		}
	}
}
