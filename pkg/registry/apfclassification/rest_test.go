// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfclassification

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// echo answers with whom it was asked about, or does not.
type echo struct{ err error }

func (e echo) ClassifyUser(_ context.Context, name string, groups []string, r *slo.ClassifiedRequest) (*slo.APFClassificationStatus, error) {
	return &slo.APFClassificationStatus{Reason: r.NonResourceAttributes.Path, User: &slo.ClassifiedUser{Name: "user " + name, Groups: groups}}, e.err
}

func (e echo) ClassifyCaller(_ context.Context, caller user.Info, r *slo.ClassifiedRequest) (*slo.APFClassificationStatus, error) {
	return &slo.APFClassificationStatus{Reason: r.NonResourceAttributes.Path, User: &slo.ClassifiedUser{Name: "caller " + caller.GetName(), Groups: caller.GetGroups()}}, e.err
}

var healthz = slo.ClassifiedRequest{NonResourceAttributes: &slo.ClassifiedPath{Verb: "get", Path: "/healthz"}}

func reviewOf(name string) *slo.APFClassification {
	return &slo.APFClassification{
		Spec:   slo.APFClassificationSpec{User: name, Groups: []string{"dev"}, ClassifiedRequest: healthz},
		Status: slo.APFClassificationStatus{HeadroomProblem: "sent by the caller"},
	}
}

func selfReview() *slo.SelfAPFClassification {
	return &slo.SelfAPFClassification{Spec: slo.SelfAPFClassificationSpec{ClassifiedRequest: healthz}}
}

func newREST(t *testing.T, e echo) (*REST, *SelfREST) {
	t.Helper()
	all, self, err := New(e)
	if err != nil {
		t.Fatal(err)
	}
	return all, self
}

func asBob(t *testing.T) context.Context {
	return request.WithUser(t.Context(), &user.DefaultInfo{Name: "bob", Groups: []string{"ops"}})
}

func TestAnswers(t *testing.T) {
	all, self := newREST(t, echo{})
	review := reviewOf("alice")
	sent := review.DeepCopy()
	got, err := all.Create(asBob(t), review, nil, &metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := reviewOf("alice")
	want.Status = slo.APFClassificationStatus{Reason: "/healthz", User: &slo.ClassifiedUser{Name: "user alice", Groups: []string{"dev"}}}
	if diff := cmp.Diff(runtime.Object(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sent, review); diff != "" {
		t.Errorf("what was sent was changed:\n%s", diff)
	}

	got, err = self.Create(asBob(t), selfReview(), nil, &metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	answer, ok := got.(*slo.SelfAPFClassification)
	if !ok || answer.Status.User.Name != "caller bob" || !slices.Equal(answer.Status.User.Groups, []string{"ops"}) {
		t.Errorf("%+v", got)
	}
}

func TestNoAnswers(t *testing.T) {
	if _, _, err := New(nil); err == nil {
		t.Error("reviews without a classifier")
	}
	create := func(ctx context.Context, e echo, obj runtime.Object, refusal error) error {
		all, self := newREST(t, e)
		validate := func(context.Context, runtime.Object) error { return refusal }
		var err error
		if _, ok := obj.(*slo.APFClassification); ok {
			_, err = all.Create(ctx, obj, validate, nil)
		} else {
			_, err = self.Create(ctx, obj, validate, nil)
		}
		return err
	}
	refusal := errors.New("refused")
	for _, obj := range []runtime.Object{reviewOf("alice"), selfReview()} {
		if err := create(asBob(t), echo{errors.New("flowschemas have not been read")}, obj, nil); !apierrors.IsServiceUnavailable(err) {
			t.Errorf("%T without a configuration: %v", obj, err)
		}
		if err := create(asBob(t), echo{context.DeadlineExceeded}, obj, nil); !apierrors.IsTimeout(err) {
			t.Errorf("%T out of time: %v", obj, err)
		}
		if err := create(asBob(t), echo{}, obj, refusal); !errors.Is(err, refusal) {
			t.Errorf("%T refused: %v", obj, err)
		}
	}
	if err := create(asBob(t), echo{}, reviewOf(""), nil); !apierrors.IsInvalid(err) {
		t.Errorf("of nobody: %v", err)
	}
	if err := create(asBob(t), echo{}, &slo.SelfAPFClassification{}, nil); !apierrors.IsInvalid(err) {
		t.Errorf("of no request: %v", err)
	}
	if err := create(t.Context(), echo{}, selfReview(), nil); !apierrors.IsBadRequest(err) {
		t.Errorf("without a caller: %v", err)
	}
	all, self := newREST(t, echo{})
	if _, err := all.Create(asBob(t), selfReview(), nil, nil); !apierrors.IsBadRequest(err) {
		t.Errorf("of another kind: %v", err)
	}
	if _, err := self.Create(asBob(t), reviewOf("alice"), nil, nil); !apierrors.IsBadRequest(err) {
		t.Errorf("of another kind: %v", err)
	}
}
