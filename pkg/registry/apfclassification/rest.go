// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package apfclassification serves the reviews APFClassification and
// SelfAPFClassification: they can only be created, the answer is what was created
// with its status filled in, and nothing is stored.
package apfclassification

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Classifier answers for valid requests.
type Classifier interface {
	// ClassifyUser answers for the user with these groups and those that every
	// such user is in.
	ClassifyUser(ctx context.Context, name string, groups []string, r *slo.ClassifiedRequest) (*slo.APFClassificationStatus, error)
	// ClassifyCaller answers for a user as authentication gave it.
	ClassifyCaller(ctx context.Context, caller user.Info, r *slo.ClassifiedRequest) (*slo.APFClassificationStatus, error)
}

// REST serves APFClassifications.
type REST struct{ classifier Classifier }

// SelfREST serves SelfAPFClassifications.
type SelfREST struct{ classifier Classifier }

// New returns both, of one classifier.
func New(classifier Classifier) (*REST, *SelfREST, error) {
	if classifier == nil {
		return nil, nil, errors.New("reviews need a classifier")
	}
	return &REST{classifier}, &SelfREST{classifier}, nil
}

// New implements rest.Storage.
func (r *REST) New() runtime.Object { return &slo.APFClassification{} }

// New implements rest.Storage.
func (r *SelfREST) New() runtime.Object { return &slo.SelfAPFClassification{} }

// Destroy implements rest.Storage.
func (r *REST) Destroy() {}

// Destroy implements rest.Storage.
func (r *SelfREST) Destroy() {}

// NamespaceScoped implements rest.Scoper.
func (r *REST) NamespaceScoped() bool { return false }

// NamespaceScoped implements rest.Scoper.
func (r *SelfREST) NamespaceScoped() bool { return false }

// GetSingularName implements rest.SingularNameProvider.
func (r *REST) GetSingularName() string { return "apfclassification" }

// GetSingularName implements rest.SingularNameProvider.
func (r *SelfREST) GetSingularName() string { return "selfapfclassification" }

// Create implements rest.Creater.
func (r *REST) Create(ctx context.Context, obj runtime.Object, validate rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	review, ok := obj.(*slo.APFClassification)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%T is no APFClassification", obj))
	}
	if problems := validateSpec(&review.Spec); len(problems) > 0 {
		return nil, apierrors.NewInvalid(slo.SchemeGroupVersion.WithKind("APFClassification").GroupKind(), review.Name, problems)
	}
	if err := admit(ctx, obj, validate); err != nil {
		return nil, err
	}
	status, err := r.classifier.ClassifyUser(ctx, review.Spec.User, review.Spec.Groups, &review.Spec.ClassifiedRequest)
	if err != nil {
		return nil, unavailable(err)
	}
	answer := review.DeepCopy()
	answer.Status = *status
	return answer, nil
}

// Create implements rest.Creater.
func (r *SelfREST) Create(ctx context.Context, obj runtime.Object, validate rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	review, ok := obj.(*slo.SelfAPFClassification)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%T is no SelfAPFClassification", obj))
	}
	caller, ok := request.UserFrom(ctx)
	if !ok {
		return nil, apierrors.NewBadRequest("the request has no user")
	}
	if problems := validateRequest(&review.Spec.ClassifiedRequest, specPath); len(problems) > 0 {
		return nil, apierrors.NewInvalid(slo.SchemeGroupVersion.WithKind("SelfAPFClassification").GroupKind(), review.Name, problems)
	}
	if err := admit(ctx, obj, validate); err != nil {
		return nil, err
	}
	status, err := r.classifier.ClassifyCaller(ctx, caller, &review.Spec.ClassifiedRequest)
	if err != nil {
		return nil, unavailable(err)
	}
	answer := review.DeepCopy()
	answer.Status = *status
	return answer, nil
}

// admit asks the validating admission of this server.
func admit(ctx context.Context, obj runtime.Object, validate rest.ValidateObjectFunc) error {
	if validate == nil {
		return nil
	}
	return validate(ctx, obj.DeepCopyObject())
}

// unavailable turns an error of the classifier into one of the API. It never has
// to do with what was asked: that is valid.
func unavailable(err error) error {
	message := fmt.Sprintf("classify: %v", err)
	if errors.Is(err, context.DeadlineExceeded) {
		return apierrors.NewTimeoutError(message, 1)
	}
	return apierrors.NewServiceUnavailable(message)
}

// The interfaces by which k8s.io/apiserver finds out what a resource can do.
type served interface {
	rest.Storage
	rest.Scoper
	rest.SingularNameProvider
	rest.Creater
}

var (
	_ served = &REST{}
	_ served = &SelfREST{}
)
