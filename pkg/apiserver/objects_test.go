// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Only what the source needs is watched: everything else needs a right.
func TestObjectsAreThoseThatAreNeeded(t *testing.T) {
	flowControl := []string{"flowschemas", "prioritylevelconfigurations"}
	for name, c := range map[string]struct {
		scrape *ScrapeConfig
		want   []string
	}{
		"prometheus":         {nil, []string{endpointSlices}},
		"all found":          {&ScrapeConfig{Kubelets: true}, []string{endpointSlices, nodes}},
		"named apiservers":   {&ScrapeConfig{APIServers: []string{"https://a"}, Kubelets: true}, []string{nodes}},
		"no kubelets":        {&ScrapeConfig{}, []string{endpointSlices}},
		"apiservers by name": {&ScrapeConfig{APIServers: []string{"https://a"}}, nil},
	} {
		o, err := newObjects(&rest.Config{Host: "https://127.0.0.1:1"}, c.scrape)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Sorted(slices.Values(append(c.want, flowControl...)))
		if got := slices.Sorted(maps.Keys(o.synced)); !slices.Equal(got, want) {
			t.Errorf("%s: informers of %v, want %v", name, got, want)
		}
		if (o.nodes != nil) != slices.Contains(want, nodes) || (o.slices != nil) != slices.Contains(want, endpointSlices) {
			t.Errorf("%s: listers of nodes %v and endpointslices %v", name, o.nodes, o.slices)
		}
	}
	if _, err := newObjects(&rest.Config{Host: "://"}, nil); err == nil {
		t.Error("a malformed host was taken")
	}
}

func TestSlimKeepsWhatFindsAKubelet(t *testing.T) {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7", Labels: map[string]string{"many": "labels"}, ManagedFields: []metav1.ManagedFieldsEntry{{}}},
		Spec:       corev1.NodeSpec{ProviderID: "cloud:///a"},
		Status: corev1.NodeStatus{
			Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: 10250}},
			Images:          []corev1.ContainerImage{{Names: []string{"large"}}},
		},
	}
	before := node.DeepCopy()
	got, err := slim(node)
	if err != nil {
		t.Fatal(err)
	}
	want := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7"},
		Status:     corev1.NodeStatus{Addresses: node.Status.Addresses, DaemonEndpoints: node.Status.DaemonEndpoints},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, node); diff != "" {
		t.Errorf("the informer's object was changed: %s", diff)
	}
	for _, other := range []any{&flowcontrolv1.FlowSchema{}, cache.DeletedFinalStateUnknown{Key: "a"}} {
		if got, err := slim(other); err != nil || !cmp.Equal(got, other) {
			t.Errorf("slim(%T) = %v, %v", other, got, err)
		}
	}
}

func TestCheckNamesEveryInformerThatHasNotSynced(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	o := &objects{synced: map[string]cache.InformerSynced{"nodes": no, "flowschemas": yes, "endpointslices": no}}
	for range 20 { // maps have no order
		const want = "endpointslices, nodes have not been read yet (may the server list and watch them?)"
		if err := o.check(); err == nil || err.Error() != want {
			t.Fatalf("got %v, want %s", err, want)
		}
	}
	o.synced = map[string]cache.InformerSynced{"nodes": yes}
	if err := o.check(); err != nil {
		t.Errorf("all are synced: %v", err)
	}
}
