// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"fmt"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	flowcontrolv1beta3 "k8s.io/api/flowcontrol/v1beta3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// The versions differ in the shares of a limited priority level only: v1beta2 calls
// them assuredConcurrencyShares, and before v1 a zero stands for the default,
// unless an annotation says that zero is meant (k8s.io/api/flowcontrol/v1beta3,
// PriorityLevelPreserveZeroConcurrencySharesKey; in the kube-apiserver
// pkg/apis/flowcontrol/v1beta3/conversion.go).

// defaultShares is what v1beta2 and v1beta3 make of shares that are not given
// (k8s.io/api/flowcontrol/v1, NominalConcurrencyShares).
const defaultShares int64 = 30

// convertLevel makes a priority level of any version one of v1. It is a
// cache.TransformFunc: what comes out may come in again, and what is no level passes.
func convertLevel(object any) (any, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return object, nil
	}
	content := u.Object
	if u.GroupVersionKind().Version != flowcontrolv1.SchemeGroupVersion.Version {
		content = u.DeepCopy().Object
		if err := nameShares(content, u.GetAnnotations()); err != nil {
			return nil, fmt.Errorf("priority level %s in %s: %w", u.GetName(), u.GetAPIVersion(), err)
		}
	}
	level := &flowcontrolv1.PriorityLevelConfiguration{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, level); err != nil {
		return nil, fmt.Errorf("priority level %s in %s: %w", u.GetName(), u.GetAPIVersion(), err)
	}
	level.TypeMeta, level.ManagedFields = metav1.TypeMeta{}, nil
	return level, nil
}

// nameShares writes the shares of a limited level, if it is one, as v1 has them.
func nameShares(content map[string]any, annotations map[string]string) error {
	limited, found, err := unstructured.NestedMap(content, "spec", "limited")
	if err != nil || !found {
		return err
	}
	const nominal, assured = "nominalConcurrencyShares", "assuredConcurrencyShares"
	if shares, old := limited[assured]; old {
		delete(limited, assured)
		limited[nominal] = shares
	}
	shares, _, err := unstructured.NestedInt64(limited, nominal)
	if err != nil {
		return err
	}
	if _, zeroIsMeant := annotations[flowcontrolv1beta3.PriorityLevelPreserveZeroConcurrencySharesKey]; shares == 0 && !zeroIsMeant {
		shares = defaultShares
	}
	limited[nominal] = shares
	return unstructured.SetNestedMap(content, limited, "spec", "limited")
}

// convertSchema makes a flow schema of any version one of v1, as convertLevel does;
// its fields are the same in all of them.
func convertSchema(object any) (any, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return object, nil
	}
	flowSchema := &flowcontrolv1.FlowSchema{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, flowSchema); err != nil {
		return nil, fmt.Errorf("flow schema %s in %s: %w", u.GetName(), u.GetAPIVersion(), err)
	}
	flowSchema.TypeMeta, flowSchema.ManagedFields = metav1.TypeMeta{}, nil
	return flowSchema, nil
}
