// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	podsNamespace = "lab-load-pods"
	// fewPods and manyPods are the sizes of one deployment; three of them at their largest fill a tenth of three nodes.
	fewPods, manyPods = 1, 10
	// scalePause lets pods start, be seen running and end before the next change.
	scalePause = 8 * time.Second
)

// preparePods: one deployment per worker, scaled up and down in turn.
func preparePods(ctx context.Context, t *traffic) (func(context.Context, int, int) error, func(context.Context), error) {
	client, err := t.accountClient(ctx, podsNamespace, "deployer",
		allowed("apps", []string{"deployments"}, "get", "create", "patch", "delete"))
	if err != nil {
		return nil, nil, err
	}
	deployments := client.AppsV1().Deployments(podsNamespace)
	step := func(ctx context.Context, worker, n int) error {
		name := fmt.Sprintf("sleepers-%d", worker)
		if n == 0 {
			if _, err := deployments.Create(ctx, sleepers(name), metav1.CreateOptions{}); existsOr(err) != nil {
				return err
			}
		}
		replicas := manyPods
		if n%2 == 1 {
			replicas = fewPods
		}
		patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
		_, err := deployments.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
		pause(ctx, scalePause)
		return err
	}
	return step, func(ctx context.Context) {
		_ = t.admin.AppsV1().Deployments(podsNamespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	}, nil
}

func sleepers(name string) *appsv1.Deployment {
	replicas, grace := int32(fewPods), int64(1)
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: &grace,
					Containers:                    []corev1.Container{{Name: "sleeper", Image: "registry.k8s.io/pause:3.10"}},
				},
			},
		},
	}
}
