// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"context"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

var widgets = schema.GroupVersionResource{Group: "lab.example.com", Version: "v1", Resource: "widgets"}

// prepareCustom: traffic that the upstream SLOs leave out, since a custom resource may be as slow as its webhooks.
func prepareCustom(ctx context.Context, t *traffic) (func(context.Context, int, int) error, func(context.Context), error) {
	const namespace = "lab-load-custom"
	if err := t.defineWidgets(ctx); err != nil {
		return nil, nil, fmt.Errorf("CustomResourceDefinition: %w", err)
	}
	config, err := t.account(ctx, namespace, "widget-maker",
		allowed(widgets.Group, []string{widgets.Resource}, "get", "list", "create", "update", "patch", "delete"))
	if err != nil {
		return nil, nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, nil, err
	}
	admin, err := dynamic.NewForConfig(t.adminConfig)
	if err != nil {
		return nil, nil, err
	}
	// The definition is served some time after it is established.
	for start := time.Now(); ; pause(ctx, 200*time.Millisecond) {
		if _, err = admin.Resource(widgets).Namespace(namespace).List(ctx, metav1.ListOptions{}); err == nil {
			break
		}
		if ctx.Err() != nil || time.Since(start) > 30*time.Second {
			return nil, nil, fmt.Errorf("widgets are not served: %w", err)
		}
	}
	mine := client.Resource(widgets).Namespace(namespace)
	step := func(ctx context.Context, worker, n int) error {
		const steps = 5
		name := fmt.Sprintf("widget-%d-%d", worker, n/steps)
		var err error
		switch n % steps {
		case 0:
			_, err = mine.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": widgets.GroupVersion().String(), "kind": "Widget",
				"metadata": map[string]any{"name": name}, "spec": map[string]any{"size": int64(n)},
			}}, metav1.CreateOptions{})
		case 1:
			_, err = mine.List(ctx, metav1.ListOptions{})
		case 2:
			_, err = mine.Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"size":7}}`), metav1.PatchOptions{})
		case 3:
			_, err = mine.Get(ctx, name, metav1.GetOptions{})
		case 4:
			err = mine.Delete(ctx, name, metav1.DeleteOptions{})
		}
		return err
	}
	return step, func(ctx context.Context) {
		_ = admin.Resource(widgets).Namespace(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	}, nil
}

func (t *traffic) defineWidgets(ctx context.Context) error {
	client, err := apiextensions.NewForConfig(t.adminConfig)
	if err != nil {
		return err
	}
	anything := true
	_, err = client.ApiextensionsV1().CustomResourceDefinitions().Create(ctx, &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.lab.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: widgets.Group,
			Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: widgets.Resource, Singular: "widget", Kind: "Widget", ListKind: "WidgetList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: widgets.Version, Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{
					OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &anything},
				},
			}},
		},
	}, metav1.CreateOptions{})
	return existsOr(err)
}
