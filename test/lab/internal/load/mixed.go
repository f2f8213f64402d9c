// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
)

// prepareMixed: two accounts; a worker's steps go through the life of one ConfigMap, with reads of all scopes between.
func prepareMixed(ctx context.Context, t *traffic) (func(context.Context, int, int) error, func(context.Context), error) {
	const namespace = "lab-load-mixed"
	var clients []*kubernetes.Clientset
	for _, name := range []string{"reader-and-writer-a", "reader-and-writer-b"} {
		client, err := t.accountClient(ctx, namespace, name,
			allowed("", []string{"configmaps"}, "get", "list", "create", "update", "patch", "delete"),
			allowed("", []string{"nodes", "pods", "namespaces"}, "get", "list"))
		if err != nil {
			return nil, nil, err
		}
		clients = append(clients, client)
	}
	step := func(ctx context.Context, worker, n int) error {
		life := mixedLife(clients[worker%len(clients)], namespace, fmt.Sprintf("mixed-%d-%d", worker, n/mixedSteps))
		return life[n%mixedSteps](ctx)
	}
	return step, func(ctx context.Context) {
		_ = t.admin.CoreV1().ConfigMaps(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	}, nil
}

const mixedSteps = 12

// mixedLife is one round of requests, in order.
func mixedLife(client *kubernetes.Clientset, namespace, name string) [mixedSteps]func(context.Context) error {
	maps, nodes := client.CoreV1().ConfigMaps(namespace), client.CoreV1().Nodes()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"step": "create"}}
	return [mixedSteps]func(context.Context) error{
		func(ctx context.Context) error {
			_, err := maps.Create(ctx, object, metav1.CreateOptions{})
			return err
		},
		func(ctx context.Context) error { _, err := maps.Get(ctx, name, metav1.GetOptions{}); return err },
		func(ctx context.Context) error {
			changed := object.DeepCopy()
			changed.Data["step"] = "update"
			_, err := maps.Update(ctx, changed, metav1.UpdateOptions{})
			return err
		},
		func(ctx context.Context) error { _, err := maps.List(ctx, metav1.ListOptions{}); return err },
		func(ctx context.Context) error {
			_, err := maps.Patch(ctx, name, types.MergePatchType, []byte(`{"data":{"step":"patch"}}`), metav1.PatchOptions{})
			return err
		},
		func(ctx context.Context) error { _, err := nodes.List(ctx, metav1.ListOptions{}); return err },
		func(ctx context.Context) error {
			apply := applycorev1.ConfigMap(name, namespace).WithData(map[string]string{"applied": "yes"})
			_, err := maps.Apply(ctx, apply, metav1.ApplyOptions{FieldManager: "lab-load"})
			return err
		},
		func(ctx context.Context) error {
			_, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
			return err
		},
		func(ctx context.Context) error { _, err := nodes.Get(ctx, "node-0", metav1.GetOptions{}); return err },
		func(ctx context.Context) error {
			_, err := client.CoreV1().ConfigMaps(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: 100})
			return err
		},
		func(ctx context.Context) error {
			_, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
			return err
		},
		func(ctx context.Context) error { return maps.Delete(ctx, name, metav1.DeleteOptions{}) },
	}
}
