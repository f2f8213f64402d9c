// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// allowed makes a rule from verbs, a group and its resources.
func allowed(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}

// account makes a service account that may do what rules say, and returns the configuration of a client that is it.
// Such a client has no FlowSchema of its own: it falls into service-accounts, priority level workload-low.
func (t *traffic) account(ctx context.Context, namespace, name string, rules ...rbacv1.PolicyRule) (*rest.Config, error) {
	if err := t.namespace(ctx, namespace); err != nil {
		return nil, err
	}
	accounts := t.admin.CoreV1().ServiceAccounts(namespace)
	meta := metav1.ObjectMeta{Name: name}
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{}); existsOr(err) != nil {
		return nil, err
	}
	cluster := metav1.ObjectMeta{Name: namespace + ":" + name}
	if _, err := t.admin.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: cluster, Rules: rules}, metav1.CreateOptions{}); existsOr(err) != nil {
		return nil, err
	}
	_, err := t.admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: cluster,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: cluster.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}, metav1.CreateOptions{})
	if existsOr(err) != nil {
		return nil, err
	}
	expiry := int64(24 * 3600)
	token, err := accounts.CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &expiry},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(t.adminConfig)
	config.BearerToken = token.Status.Token
	config.QPS = -1
	config.UserAgent = "lab-load-" + t.Kind
	config.Wrap(t.record.wrap)
	return config, nil
}

// accountClient is account for those who need a clientset.
func (t *traffic) accountClient(ctx context.Context, namespace, name string, rules ...rbacv1.PolicyRule) (*kubernetes.Clientset, error) {
	config, err := t.account(ctx, namespace, name, rules...)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func (t *traffic) namespace(ctx context.Context, name string) error {
	_, err := t.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	return existsOr(err)
}

// existsOr takes "already exists" for success: every load may be run again.
func existsOr(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
