// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"

	"example.io/slo-apiserver/pkg/sources"
)

// The kube-apiservers write their addresses into the EndpointSlices of this
// service, and their certificates name it (kubernetes
// pkg/controlplane/controller/kubernetesservice).
const (
	apiserverNamespace = metav1.NamespaceDefault
	apiserverService   = "kubernetes"
	apiserverPort      = "https"
	apiserverName      = apiserverService + "." + apiserverNamespace + ".svc"
)

// APIServers finds the kube-apiservers in the EndpointSlices of the service
// default/kubernetes.
type APIServers struct {
	Slices discoverylisters.EndpointSliceLister
	// Synced says that the lister knows the cluster.
	Synced func() bool
}

// Targets returns every address that is listed, ready or not: a kube-apiserver
// that is not ready is expected to be. Dual-stack clusters list a kube-apiserver
// once per address family: the IPv4 addresses are taken where there are any.
func (f APIServers) Targets() ([]Target, error) {
	if !f.Synced() {
		return nil, errors.New("find kube-apiservers: the EndpointSlices are not synced yet")
	}
	selector := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: apiserverService})
	slicesFound, err := f.Slices.EndpointSlices(apiserverNamespace).List(selector)
	if err != nil {
		return nil, fmt.Errorf("find kube-apiservers: %w", err)
	}
	for _, addressType := range []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6} {
		if targets := apiserverTargets(slicesFound, addressType); len(targets) > 0 {
			return targets, nil
		}
	}
	return nil, fmt.Errorf("find kube-apiservers: the EndpointSlices of the service %s/%s list no address with a port named %s",
		apiserverNamespace, apiserverService, apiserverPort)
}

func apiserverTargets(found []*discoveryv1.EndpointSlice, addressType discoveryv1.AddressType) []Target {
	var targets []Target
	for _, slice := range found {
		port := httpsPort(slice)
		if slice.AddressType != addressType || port == 0 {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			for _, address := range endpoint.Addresses {
				host := net.JoinHostPort(address, strconv.Itoa(int(port)))
				targets = append(targets, Target{
					Component:  sources.KubeAPIServer,
					Name:       host,
					URL:        "https://" + host + "/metrics",
					ServerName: apiserverName,
				})
			}
		}
	}
	return sortedTargets(targets)
}

// httpsPort of a slice; 0 when it has none.
func httpsPort(slice *discoveryv1.EndpointSlice) int32 {
	for _, port := range slice.Ports {
		if port.Name != nil && *port.Name == apiserverPort && port.Port != nil {
			return *port.Port
		}
	}
	return 0
}

func sortedTargets(targets []Target) []Target {
	slices.SortFunc(targets, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Compact(targets) // an address may stand in two slices for a while
}

// defaultKubeletPort is used when a node does not tell its port (kubernetes
// pkg/cluster/ports, KubeletPort).
const defaultKubeletPort = 10250

// Kubelets finds the kubelets of the nodes.
type Kubelets struct {
	Nodes corelisters.NodeLister
	// Synced says that the lister knows the cluster.
	Synced func() bool
	// AddressTypes by preference; default InternalIP alone.
	AddressTypes []corev1.NodeAddressType
	// Selector of nodes; nil for all.
	Selector labels.Selector
	// Sample is how many of the selected nodes to take at most; 0 for all.
	Sample int
	// Port of kubelets whose node does not tell; default 10250.
	Port int
	// IgnoreStatusPort takes Port even where a node tells.
	IgnoreStatusPort bool
}

// Targets returns a target for every node that is selected. A node without an
// address of a preferred type is one that can not be scraped.
func (f Kubelets) Targets() ([]Target, error) {
	if !f.Synced() {
		return nil, errors.New("find kubelets: the nodes are not synced yet")
	}
	selector := f.Selector
	if selector == nil {
		selector = labels.Everything()
	}
	nodes, err := f.Nodes.List(selector)
	if err != nil {
		return nil, fmt.Errorf("find kubelets: %w", err)
	}
	total := len(nodes)
	if f.Sample > 0 && f.Sample < total {
		nodes = sampleOf(nodes, f.Sample)
	}
	types := f.AddressTypes
	if len(types) == 0 {
		types = []corev1.NodeAddressType{corev1.NodeInternalIP}
	}
	targets := make([]Target, 0, len(nodes))
	for _, node := range nodes {
		t := f.target(node, types)
		if len(nodes) < total {
			t.SampledFrom = total
		}
		targets = append(targets, t)
	}
	return sortedTargets(targets), nil
}

// sampleOf the nodes, n of them: those whose UIDs have the smallest hashes. UIDs
// are random (apimachinery pkg/util/uuid), and so is the choice: it prefers no
// zone, pool or age. It needs no seed and no memory: every replica and every
// restart choose the same nodes, and for each node that comes or goes at most one
// other enters or leaves.
func sampleOf(nodes []*corev1.Node, n int) []*corev1.Node {
	type lot struct {
		number uint64
		node   *corev1.Node
	}
	lots := make([]lot, len(nodes))
	for i, node := range nodes {
		h := fnv.New64a()
		_, _ = h.Write([]byte(node.UID))
		lots[i] = lot{h.Sum64(), node}
	}
	slices.SortFunc(lots, func(a, b lot) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.node.Name, b.node.Name))
	})
	chosen := make([]*corev1.Node, n)
	for i := range chosen {
		chosen[i] = lots[i].node
	}
	return chosen
}

func (f Kubelets) target(node *corev1.Node, types []corev1.NodeAddressType) Target {
	t := Target{Component: sources.Kubelet, Name: node.Name}
	port := cmp.Or(f.Port, defaultKubeletPort)
	if told := node.Status.DaemonEndpoints.KubeletEndpoint.Port; told != 0 && !f.IgnoreStatusPort {
		port = int(told)
	}
	for _, addressType := range types {
		for _, address := range node.Status.Addresses {
			if address.Type == addressType && address.Address != "" {
				t.URL = "https://" + net.JoinHostPort(address.Address, strconv.Itoa(port)) + "/metrics"
				return t
			}
		}
	}
	t.Problem = fmt.Sprintf("the node has no address of type %v", types)
	return t
}
