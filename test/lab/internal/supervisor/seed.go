// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"fmt"
	"os"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/test/lab/internal/prom"
)

// seed writes what a cluster's machinery would have written before the first node joins.
func (s *Supervisor) seed(ctx context.Context) error {
	if err := s.setAPIServerAddress(ctx, big, true); err != nil {
		return fmt.Errorf("default/kubernetes: %w", err)
	}
	if err := s.setAPIServerAddress(ctx, small, true); err != nil {
		return fmt.Errorf("default/kubernetes: %w", err)
	}
	for i := range s.plan.Nodes {
		if err := s.createNode(ctx, i); err != nil {
			return fmt.Errorf("node %s: %w", nodeName(i), err)
		}
	}
	return nil
}

// setAPIServerAddress puts an apiserver's address into default/kubernetes or takes it out, as its reconciler would: one
// slice, one port, one endpoint per apiserver. The reconciler itself is off because it would write each apiserver's
// loopback port.
func (s *Supervisor) setAPIServerAddress(ctx context.Context, name string, present bool) error {
	client := s.admin.DiscoveryV1().EndpointSlices("default")
	slice, err := client.Get(ctx, "kubernetes", metav1.GetOptions{})
	create := apierrors.IsNotFound(err)
	if err != nil && !create {
		return err
	}
	if create {
		slice = newKubernetesSlice()
	}
	slice.Endpoints = withAddress(slice.Endpoints, advertised[name], present)
	if create {
		_, err = client.Create(ctx, slice, metav1.CreateOptions{})
	} else {
		_, err = client.Update(ctx, slice, metav1.UpdateOptions{})
	}
	return err
}

func newKubernetesSlice() *discoveryv1.EndpointSlice {
	name, port, protocol := "https", int32(advertisedPort), corev1.ProtocolTCP
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name:   "kubernetes",
			Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
}

// withAddress returns endpoints with or without the address, sorted as the reconciler would.
func withAddress(endpoints []discoveryv1.Endpoint, address string, present bool) []discoveryv1.Endpoint {
	var result []discoveryv1.Endpoint
	for _, e := range endpoints {
		if len(e.Addresses) != 1 || e.Addresses[0] != address {
			result = append(result, e)
		}
	}
	if present {
		ready := true
		result = append(result, discoveryv1.Endpoint{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
	}
	slices.SortFunc(result, func(a, b discoveryv1.Endpoint) int { return slices.Compare(a.Addresses, b.Addresses) })
	return result
}

// createNode makes the Node before its kubelet does, so that the kubelet finds its address there and keeps it.
func (s *Supervisor) createNode(ctx context.Context, i int) error {
	nodes := s.admin.CoreV1().Nodes()
	node, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: nodeName(i),
		Labels: map[string]string{
			corev1.LabelHostname:   nodeName(i),
			corev1.LabelOSStable:   "linux",
			corev1.LabelArchStable: "amd64",
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	node.Status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: nodeAddress(i)},
		{Type: corev1.NodeHostName, Address: nodeName(i)},
	}
	_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

// configurePrometheus gives Prometheus an account of its own, as a cluster's would have: no system group, no exemption.
func (s *Supervisor) configurePrometheus(ctx context.Context) error {
	token, err := s.prometheusToken(ctx)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	p := s.plan
	tokenFile := p.path("pki", "prometheus.token")
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		return err
	}
	config := prom.Config{
		Interval:   p.ScrapeInterval,
		ProxyURL:   s.state.ProxyURL,
		CAFile:     p.pki.ca.File(),
		TokenFile:  tokenFile,
		Aggregated: aggregatedAddress + ":443",
	}
	for _, a := range s.state.APIServers {
		config.APIServers = append(config.APIServers, a.Address)
	}
	for _, k := range s.state.Kubelets {
		config.Kubelets = append(config.Kubelets, prom.Kubelet{Address: fmt.Sprintf("%s:%d", k.Address, k.Port), Node: k.Node})
	}
	data, err := config.Render()
	if err != nil {
		return err
	}
	return os.WriteFile(s.state.Prometheus.ConfigFile, data, 0o600)
}

func (s *Supervisor) prometheusToken(ctx context.Context) (string, error) {
	const namespace, name = "monitoring", "prometheus"
	_, err := s.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	accounts := s.admin.CoreV1().ServiceAccounts(namespace)
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return "", err
	}
	_, err = s.admin.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules: []rbacv1.PolicyRule{
			{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics", "/metrics/slis"}},
			{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"nodes/metrics"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	_, err = s.admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	expiry := int64(30 * 24 * 3600)
	request, err := accounts.CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &expiry},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return request.Status.Token, nil
}
