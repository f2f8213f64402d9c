// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"example.io/slo-apiserver/pkg/sources"
)

func TestNewStatic(t *testing.T) {
	got, err := NewStatic([]string{"https://10.0.0.1:6443", "https://[fd00::1]:6443/", "https://lb.example.com/x/metrics"})
	if err != nil {
		t.Fatal(err)
	}
	want := Static{
		{Component: sources.KubeAPIServer, Name: "10.0.0.1:6443", URL: "https://10.0.0.1:6443/metrics"},
		{Component: sources.KubeAPIServer, Name: "[fd00::1]:6443", URL: "https://[fd00::1]:6443/metrics"},
		{Component: sources.KubeAPIServer, Name: "lb.example.com:443", URL: "https://lb.example.com:443/x/metrics"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewStaticErrors(t *testing.T) {
	for urls, want := range map[string]string{
		"":                                      `"": write it as https://host:port`,
		"http://10.0.0.1:6443":                  "write it as https://host:port",
		"10.0.0.1:6443":                         "write it as https://host:port",
		"https://":                              "write it as https://host:port",
		"https://u:hidden@10.0.0.1":             "must not hold credentials",
		"https://u:hidden@10.0.0.1:x":           "can not be parsed",
		"https://10.0.0.1?a=b":                  "must not have a query",
		"https://10.0.0.1,https://10.0.0.1:443": "10.0.0.1:443 is listed twice",
	} {
		_, err := NewStatic(strings.Split(urls, ","))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: error %v, want %q", urls, err, want)
		}
	}
	if _, err := NewStatic(nil); err == nil {
		t.Error("no error without a URL")
	}
}

func synced() bool { return true }

func endpointSlice(name string, addressType discoveryv1.AddressType, port string, addresses ...string) *discoveryv1.EndpointSlice {
	number, notReady := int32(6443), false
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, Labels: map[string]string{"kubernetes.io/service-name": "kubernetes"},
		},
		AddressType: addressType,
		Ports:       []discoveryv1.EndpointPort{{}, {Name: &port, Port: &number}},
	}
	for _, a := range addresses {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{a}, Conditions: discoveryv1.EndpointConditions{Ready: &notReady},
		})
	}
	return slice
}

func lister(t *testing.T, objects ...any) cache.Indexer {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, o := range objects {
		if err := indexer.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	return indexer
}

func TestAPIServers(t *testing.T) {
	otherService := endpointSlice("other", discoveryv1.AddressTypeIPv4, "https", "10.9.9.9")
	otherService.Labels["kubernetes.io/service-name"] = "other"
	otherNamespace := endpointSlice("other", discoveryv1.AddressTypeIPv4, "https", "10.9.9.9")
	otherNamespace.Namespace = "elsewhere"
	for name, test := range map[string]struct {
		slices []any
		want   []string
		err    string
	}{
		"every address of every slice, once": {[]any{
			endpointSlice("a", discoveryv1.AddressTypeIPv4, "https", "10.0.0.2", "10.0.0.1"),
			endpointSlice("b", discoveryv1.AddressTypeIPv4, "https", "10.0.0.3", "10.0.0.1"),
			otherService, otherNamespace,
		}, []string{"10.0.0.1:6443", "10.0.0.2:6443", "10.0.0.3:6443"}, ""},
		"IPv4 of dual stack": {[]any{
			endpointSlice("a", discoveryv1.AddressTypeIPv6, "https", "fd00::1", "fd00::2"),
			endpointSlice("b", discoveryv1.AddressTypeIPv4, "https", "10.0.0.1", "10.0.0.2"),
		}, []string{"10.0.0.1:6443", "10.0.0.2:6443"}, ""},
		"IPv6 alone": {[]any{
			endpointSlice("a", discoveryv1.AddressTypeIPv6, "https", "fd00::1"),
			endpointSlice("b", discoveryv1.AddressTypeIPv4, "https"),
		}, []string{"[fd00::1]:6443"}, ""},
		"another port": {[]any{endpointSlice("a", discoveryv1.AddressTypeIPv4, "http", "10.0.0.1")}, nil,
			"default/kubernetes list no address with a port named https"},
		"no slice": {nil, nil, "list no address"},
	} {
		t.Run(name, func(t *testing.T) {
			finder := APIServers{Slices: discoverylisters.NewEndpointSliceLister(lister(t, test.slices...)), Synced: synced}
			targets, err := finder.Targets()
			if (err != nil) != (test.err != "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			var got []string
			for _, target := range targets {
				got = append(got, target.Name)
				if target.URL != "https://"+target.Name+"/metrics" || target.ServerName != "kubernetes.default.svc" || target.Component != sources.KubeAPIServer {
					t.Errorf("target %+v", target)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNotSynced(t *testing.T) {
	never := func() bool { return false }
	for _, finder := range []Finder{
		APIServers{Slices: discoverylisters.NewEndpointSliceLister(lister(t)), Synced: never},
		Kubelets{Nodes: corelisters.NewNodeLister(lister(t)), Synced: never},
	} {
		if targets, err := finder.Targets(); err == nil || !strings.Contains(err.Error(), "not synced yet") || targets != nil {
			t.Errorf("%T: %v, %v", finder, targets, err)
		}
	}
}

func TestKubelets(t *testing.T) {
	node := func(name string, port int32, addresses ...corev1.NodeAddress) *corev1.Node {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"name": name}}}
		n.Status.Addresses = addresses
		n.Status.DaemonEndpoints.KubeletEndpoint.Port = port
		return n
	}
	ip := func(a string) corev1.NodeAddress { return corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a} }
	host := func(a string) corev1.NodeAddress { return corev1.NodeAddress{Type: corev1.NodeHostName, Address: a} }
	nodes := corelisters.NewNodeLister(lister(t,
		node("c", 0, host("c.example.com")),
		node("b", 0, host("b.example.com"), ip("fd00::b")),
		node("a", 10255, ip("10.0.0.10"), ip("10.0.0.11")),
	))
	virtual, err := labels.Parse("name!=c")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		finder Kubelets
		want   []Target
	}{
		"by default": {Kubelets{}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10255/metrics"},
			{Name: "b", URL: "https://[fd00::b]:10250/metrics"},
			{Name: "c", Problem: "the node has no address of type [InternalIP]"},
		}},
		"by preference": {Kubelets{AddressTypes: []corev1.NodeAddressType{corev1.NodeHostName, corev1.NodeInternalIP}}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10255/metrics"},
			{Name: "b", URL: "https://b.example.com:10250/metrics"},
			{Name: "c", URL: "https://c.example.com:10250/metrics"},
		}},
		"selected": {Kubelets{Selector: virtual}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10255/metrics"},
			{Name: "b", URL: "https://[fd00::b]:10250/metrics"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			test.finder.Nodes, test.finder.Synced = nodes, synced
			got, err := test.finder.Targets()
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].Component = sources.Kubelet
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
