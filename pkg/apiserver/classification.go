// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/authentication/user"

	"example.io/slo-apiserver/pkg/apf/classification"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/registry/apfclassification"
)

// classifier answers reviews out of the cluster's flow control objects as they are
// now, and the shared evaluation.
type classifier struct {
	flowControl evaluation.FlowControl
	evaluator   *evaluation.Evaluator
}

var _ apfclassification.Classifier = classifier{}

// ClassifyUser implements apfclassification.Classifier.
func (c classifier) ClassifyUser(ctx context.Context, name string, groups []string, r *v1alpha1.ClassifiedRequest) (*v1alpha1.APFClassificationStatus, error) {
	return c.ClassifyCaller(ctx, classification.Caller(name, groups), r)
}

// ClassifyCaller implements apfclassification.Classifier.
func (c classifier) ClassifyCaller(ctx context.Context, caller user.Info, r *v1alpha1.ClassifiedRequest) (*v1alpha1.APFClassificationStatus, error) {
	levels, schemas, err := c.flowControl.Objects()
	if err != nil {
		return nil, err
	}
	return classification.NewConfiguration(levels, schemas).Classify(ctx, caller, r, func(level string) (*v1alpha1.APFHeadroom, error) {
		return c.headroom(ctx, level)
	})
}

func (c classifier) headroom(ctx context.Context, level string) (*v1alpha1.APFHeadroom, error) {
	latest, err := c.evaluator.Latest(ctx)
	if err != nil {
		return nil, err
	}
	if latest.HeadroomsProblem != nil {
		return nil, latest.HeadroomsProblem
	}
	i, found := slices.BinarySearchFunc(latest.Headrooms, level, func(h v1alpha1.APFHeadroom, name string) int {
		return strings.Compare(h.Name, name)
	})
	if !found {
		return nil, fmt.Errorf("the latest evaluation has no APFHeadroom of %s yet", level)
	}
	return &latest.Headrooms[i], nil
}
