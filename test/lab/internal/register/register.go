// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package register makes a slo-apiserver that runs on loopback reachable in the lab's cluster: its manifests, where it is,
// whom to trust, and who it is.
package register

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/test/lab/internal/pki"
	"example.io/slo-apiserver/test/lab/internal/state"
)

// Names that the manifests, ours or the product's own, agree on.
const (
	namespace  = "slo-system"
	name       = "slo-apiserver" // of the Service and of the ServiceAccount
	apiService = "v1alpha1.slo.example.io"
)

// Registration does the steps. Each may be repeated.
type Registration struct {
	state   *state.State
	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// New reaches the lab's apiserver big as its administrator.
func New(s *state.State) (*Registration, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.AdminKubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	d, err := dynamic.NewForConfig(config)
	return &Registration{state: s, client: client, dynamic: d}, err
}

// Apply applies a kustomization with the lab's own kubectl.
func (r *Registration) Apply(ctx context.Context, manifests string, out io.Writer) error {
	// What Trust did to an earlier one contradicts the manifests.
	if err := r.patchAPIService(ctx, map[string]any{"caBundle": nil}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(r.state.BinDir, "kubectl"), "--kubeconfig", r.state.AdminKubeconfig,
		"apply", "--server-side", "--force-conflicts", "-k", manifests)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl apply -k %s: %w", manifests, err)
	}
	return nil
}

// Detach leaves a product's own manifests without pods: a Service with a selector would get its slices from the
// endpointslice controller, and ours must be the only one.
func (r *Registration) Detach(ctx context.Context) error {
	_, err := r.client.CoreV1().Services(namespace).Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"selector":null}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	err = r.client.AppsV1().Deployments(namespace).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	slices := r.client.DiscoveryV1().EndpointSlices(namespace)
	return slices.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=" + name + "," + discoveryv1.LabelManagedBy + "=endpointslice-controller.k8s.io",
	})
}

// Trust tells the aggregator which CA signed the serving certificate.
func (r *Registration) Trust(ctx context.Context) error {
	ca, err := os.ReadFile(r.state.CAFile)
	if err != nil {
		return err
	}
	return r.patchAPIService(ctx, map[string]any{"caBundle": ca, "insecureSkipTLSVerify": false})
}

func (r *Registration) patchAPIService(ctx context.Context, spec map[string]any) error {
	patch, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return err
	}
	apiServices := schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
	_, err = r.dynamic.Resource(apiServices).Patch(ctx, apiService, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// Locate writes the EndpointSlice. Its ports are the Service's, by name: the aggregator matches them so. Their numbers do
// not matter, since the address proxy leads every port of this address to the process on loopback.
func (r *Registration) Locate(ctx context.Context) error {
	service, err := r.client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	ready := true
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: name + "-lab", Namespace: namespace, Labels: map[string]string{
			discoveryv1.LabelServiceName: name,
			discoveryv1.LabelManagedBy:   "slo-lab",
		}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{r.state.Aggregated.Address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		Ports:       slicePorts(service),
	}
	slices := r.client.DiscoveryV1().EndpointSlices(namespace)
	old, err := slices.Get(ctx, slice.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = slices.Create(ctx, slice, metav1.CreateOptions{})
	case err == nil:
		slice.ResourceVersion = old.ResourceVersion
		_, err = slices.Update(ctx, slice, metav1.UpdateOptions{})
	}
	return err
}

// slicePorts gives each port of a Service the number that a pod of it would listen on; a port named in the pod has none
// here and gets the Service's.
func slicePorts(service *corev1.Service) []discoveryv1.EndpointPort {
	var ports []discoveryv1.EndpointPort
	for _, p := range service.Spec.Ports {
		portName, protocol, number := p.Name, corev1.ProtocolTCP, p.TargetPort.IntVal
		if number == 0 {
			number = p.Port
		}
		ports = append(ports, discoveryv1.EndpointPort{Name: &portName, Port: &number, Protocol: &protocol})
	}
	return ports
}

// Identify writes the kubeconfig of the service account: a token, as in a pod, good for longer than any run.
func (r *Registration) Identify(ctx context.Context) error {
	expiry := int64(30 * 24 * 3600)
	request, err := r.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &expiry},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	big, err := r.state.APIServer("big")
	if err != nil {
		return err
	}
	return pki.WriteTokenKubeconfig(r.state.Aggregated.Kubeconfig, big.URL, r.state.CAFile, request.Status.Token)
}

// Condition is what the aggregator says about the APIService now.
func (r *Registration) Condition(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(r.state.BinDir, "kubectl"), "--kubeconfig", r.state.AdminKubeconfig,
		"get", "apiservice", apiService, "-o", `jsonpath={.status.conditions[?(@.type=="Available")].status} {.status.conditions[?(@.type=="Available")].message}`).Output()
	return strings.TrimSpace(string(out)), err
}
