// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
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

func lister(t testing.TB, objects ...any) cache.Indexer {
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
		"another default port": {Kubelets{Port: 443}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10255/metrics"},
			{Name: "b", URL: "https://[fd00::b]:443/metrics"},
			{Name: "c", Problem: "the node has no address of type [InternalIP]"},
		}},
		"one port for all": {Kubelets{IgnoreStatusPort: true}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10250/metrics"},
			{Name: "b", URL: "https://[fd00::b]:10250/metrics"},
			{Name: "c", Problem: "the node has no address of type [InternalIP]"},
		}},
		"a sample of as many as there are": {Kubelets{Selector: virtual, Sample: 2}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10255/metrics"},
			{Name: "b", URL: "https://[fd00::b]:10250/metrics"},
		}},
		"a sample of those selected": {Kubelets{Selector: virtual, Sample: 1}, []Target{
			{Name: "a", URL: "https://10.0.0.10:10255/metrics", SampledFrom: 2},
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

// uid number i of a cluster, as random as those of objects.
func uid(cluster, i uint64) types.UID {
	r := rand.New(rand.NewPCG(cluster, i))
	return types.UID(fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", r.Uint32(), r.Uint32N(1<<16), r.Uint32N(1<<12), 1<<15+r.Uint32N(1<<14), r.Uint64N(1<<48)))
}

// chosen names of a sample of 100 of the nodes.
func chosen(t *testing.T, nodes map[string]types.UID) map[string]bool {
	t.Helper()
	indexer := lister(t)
	for name, uid := range nodes {
		if err := indexer.Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: uid}}); err != nil {
			t.Fatal(err)
		}
	}
	targets, err := Kubelets{Nodes: corelisters.NewNodeLister(indexer), Synced: synced, Sample: 100}.Targets()
	if err != nil || len(targets) != 100 || targets[0].SampledFrom != len(nodes) {
		t.Fatalf("%d targets, %v", len(targets), err)
	}
	chosen := map[string]bool{}
	for _, target := range targets {
		chosen[target.Name] = true
	}
	return chosen
}

// A sample changes by at most one node with each that comes or goes.
func TestSampleIsStable(t *testing.T) {
	nodes := map[string]types.UID{}
	for i := range uint64(1000) {
		nodes[fmt.Sprint("node-", i)] = uid(1, i)
	}
	before := chosen(t, nodes)
	if diff := cmp.Diff(before, chosen(t, nodes)); diff != "" {
		t.Errorf("the same nodes, another sample: %s", diff)
	}
	change := func(what string) {
		after, entered := chosen(t, nodes), 0
		for name := range after {
			if !before[name] {
				entered++
			}
		}
		if entered > 1 {
			t.Errorf("%s: %d nodes of the sample are new", what, entered)
		}
		before = after
	}
	for i := range uint64(50) {
		delete(nodes, fmt.Sprint("node-", 7*i))
		change("a node has gone")
		nodes[fmt.Sprint("new-", i)] = uid(2, i)
		change("a node has come")
	}
}

// Over many clusters each node has the same chance, whatever its name: a pool that
// comes first in the order of names is in the sample by its share.
func TestSampleIsUnbiased(t *testing.T) {
	const clusters = 50
	first := 0 // of the pool
	for cluster := range uint64(clusters) {
		nodes := map[string]types.UID{}
		for i := range uint64(400) {
			nodes[fmt.Sprintf("pool-%d-%03d", i/100, i)] = uid(100+cluster, i)
		}
		for name := range chosen(t, nodes) {
			if strings.HasPrefix(name, "pool-0") {
				first++
			}
		}
	}
	// Hypergeometric: 25 per cluster with a variance of 14.1; five deviations.
	if mean := float64(first) / clusters; math.Abs(mean-25) > 5*math.Sqrt(14.1/clusters) {
		t.Errorf("%.1f of 100 nodes in the sample are of a pool that is a quarter", mean)
	}
}

// A reading says of which components it knows a sample.
func TestReadingOfASample(t *testing.T) {
	s := newScript(t, func(c *Config) {
		c.Finders = append(c.Finders, Static{{Component: sources.Kubelet, Name: "node-1", Problem: "away", SampledFrom: 5000}})
	}, requests, podStarts)
	s.page(sources.KubeAPIServer, "a").set(body(time.Hour))
	s.collect()
	if diff := cmp.Diff(map[sources.Component]int{sources.Kubelet: 5000}, s.read(time.Minute).Sampled); diff != "" {
		t.Error(diff)
	}
}
