// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"example.io/slo-apiserver/pkg/sources"
)

// kubernetesSlice of the service default/kubernetes, of these addresses.
func kubernetesSlice(name string, family discoveryv1.AddressType, addresses ...string) *discoveryv1.EndpointSlice {
	port, portName := int32(6443), "https"
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: family,
		Ports:       []discoveryv1.EndpointPort{{Name: &portName, Port: &port}},
	}
	for _, address := range addresses {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}})
	}
	return slice
}

func TestExpectedKubeAPIServers(t *testing.T) {
	three := kubernetesSlice("kubernetes", discoveryv1.AddressTypeIPv4, "10.0.0.1", "10.0.0.2", "10.0.0.3")
	for name, c := range map[string]struct {
		slices   []*discoveryv1.EndpointSlice
		unsynced bool
		want     map[sources.Component]int
	}{
		"three":             {slices: []*discoveryv1.EndpointSlice{three}, want: map[sources.Component]int{sources.KubeAPIServer: 3}},
		"once per family":   {slices: []*discoveryv1.EndpointSlice{three, kubernetesSlice("kubernetes-6", discoveryv1.AddressTypeIPv6, "fd00::1", "fd00::2", "fd00::3")}, want: map[sources.Component]int{sources.KubeAPIServer: 3}},
		"a load balancer":   {slices: []*discoveryv1.EndpointSlice{kubernetesSlice("kubernetes", discoveryv1.AddressTypeIPv4, "172.20.0.1")}, want: map[sources.Component]int{sources.KubeAPIServer: 1}},
		"not read yet":      {slices: []*discoveryv1.EndpointSlice{three}, unsynced: true},
		"nobody is listed":  {slices: []*discoveryv1.EndpointSlice{kubernetesSlice("kubernetes", discoveryv1.AddressTypeIPv4)}},
		"there is no slice": {},
	} {
		indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
		for _, slice := range c.slices {
			if err := indexer.Add(slice); err != nil {
				t.Fatal(err)
			}
		}
		o := &objects{
			slices: discoverylisters.NewEndpointSliceLister(indexer),
			synced: map[string]cache.InformerSynced{endpointSlices: func() bool { return !c.unsynced }},
		}
		if diff := cmp.Diff(c.want, o.expected()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := (&objects{}).expected(); got != nil {
		t.Errorf("%v are expected of a cluster that is not watched", got)
	}
}
