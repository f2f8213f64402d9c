// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	fakediscovery "k8s.io/client-go/discovery/fake"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/metadata"
	metadatafake "k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"

	"example.io/slo-apiserver/pkg/slo"
)

const interval = 30 * time.Second

// fakeCluster answers as a kube-apiserver does.
type fakeCluster struct {
	discovery *fakediscovery.FakeDiscovery
	metadata  *metadatafake.FakeMetadataClient
	dynamic   *dynamicfake.FakeDynamicClient
	// discoveryErr comes beside the lists.
	discoveryErr error
}

func newFakeCluster(lists []*metav1.APIResourceList, crds []string, apiServices ...runtime.Object) *fakeCluster {
	c := &fakeCluster{discovery: &fakediscovery.FakeDiscovery{Fake: &clienttesting.Fake{Resources: lists}}}
	c.discovery.AddReactor("get", "resource", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, c.discoveryErr })

	var definitions []runtime.Object
	for _, name := range crds {
		definitions = append(definitions, &metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
			ObjectMeta: metav1.ObjectMeta{Name: name},
		})
	}
	scheme := metadatafake.NewTestScheme()
	_ = metav1.AddMetaToScheme(scheme)
	c.metadata = metadatafake.NewSimpleMetadataClient(scheme, definitions...)
	c.dynamic = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{apiServiceResource: "APIServiceList"}, apiServices...)
	return c
}

func (c *fakeCluster) resources() *Resources {
	return NewResources(c.discovery, c.metadata, c.dynamic, interval)
}

// apiService of the name <version>.<group>, local or of another server.
func apiService(version, group string, remote bool) *unstructured.Unstructured {
	spec := map[string]any{"group": group, "version": version}
	if remote {
		spec["service"] = map[string]any{"name": "server", "namespace": "system"}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": version + "." + group}, "spec": spec,
	}}
}

// list of resources as "name: verb verb".
func list(gv string, resources ...string) *metav1.APIResourceList {
	l := &metav1.APIResourceList{GroupVersion: gv}
	for _, text := range resources {
		name, verbs, _ := strings.Cut(text, ": ")
		l.APIResources = append(l.APIResources, metav1.APIResource{Name: name, Verbs: strings.Fields(verbs)})
	}
	return l
}

func gr(text string) schema.GroupResource { return schema.ParseGroupResource(text) }

func TestClasses(t *testing.T) {
	c := newFakeCluster([]*metav1.APIResourceList{
		list("v1", "pods: get list create", "pods/log: get", "bindings: create"),
		list("authorization.k8s.io/v1", "subjectaccessreviews: create"),
		list("gateway.networking.k8s.io/v1", "gateways: get list"),
		// Listed in one version only: stored, whatever the order of the versions.
		list("batch/v1", "jobs: create"),
		list("batch/v1beta1", "jobs: list"),
		list("batch/v2", "jobs: create"),
		list("metrics.k8s.io/v1beta1", "nodes: get list"),
		// A version of another server in a group of this one.
		list("apps/v1", "deployments: list"),
		list("apps/v9", "strays: list"),
	}, []string{"gateways.gateway.networking.k8s.io", "lagging.example.com"},
		apiService("v1", "", false), apiService("v1", "apps", false), apiService("v9", "apps", true),
		apiService("v1beta1", "metrics.k8s.io", true), apiService("v1", "example.com", false))
	r := c.resources()
	if classes, err := r.Classes(); classes != nil || err == nil {
		t.Errorf("before the first refresh: %v, %v, want a reason", classes, err)
	}
	r.refresh(t.Context())
	classes, err := r.Classes()
	if err != nil {
		t.Fatal(err)
	}
	for resource, want := range map[string]slo.Class{
		"pods":     slo.BuiltIn,
		"pods/log": slo.UnknownClass, // asked by resource and subresource
		"bindings": slo.Virtual,
		"subjectaccessreviews.authorization.k8s.io": slo.Virtual,
		"gateways.gateway.networking.k8s.io":        slo.Custom,
		"lagging.example.com":                       slo.Custom,
		"jobs.batch":                                slo.BuiltIn,
		"nodes.metrics.k8s.io":                      slo.Aggregated,
		"anything.metrics.k8s.io":                   slo.Aggregated,
		"deployments.apps":                          slo.BuiltIn,
		"strays.apps":                               slo.UnknownClass,
		"nodes":                                     slo.UnknownClass,
	} {
		if got := classes.Class(gr(resource)); got != want {
			t.Errorf("class of %s = %d, want %d", resource, got, want)
		}
	}
}

// What discovery should not hold is left out.
func TestClassifyOfMalformedLists(t *testing.T) {
	classes := classify([]*metav1.APIResourceList{nil, list("not/a/version", "ghosts: list"), list("v1", "pods: list")}, nil, apiServices{})
	if len(classes) != 1 || classes[gr("pods")] != slo.BuiltIn {
		t.Errorf("got %v, want the pods alone", classes)
	}
}

func groupFailure(gvs ...string) error {
	failed := &discovery.ErrGroupDiscoveryFailed{Groups: map[schema.GroupVersion]error{}}
	for _, text := range gvs {
		gv, _ := schema.ParseGroupVersion(text)
		failed.Groups[gv] = errors.New("the server is currently unable to handle the request")
	}
	return failed
}

func TestDiscoveryFailures(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // "" when the classes are known all the same
	}{
		"none":                      {nil, ""},
		"aggregated group":          {groupFailure("metrics.k8s.io/v1beta1"), ""},
		"stray version":             {groupFailure("apps/v9"), ""},
		"both":                      {groupFailure("metrics.k8s.io/v1beta1", "apps/v9"), ""},
		"built-in group":            {groupFailure("apps/v1"), "apps/v1: the server"},
		"built-in among aggregated": {groupFailure("metrics.k8s.io/v1beta1", "apps/v1"), "apps/v1: the server"},
		"core group":                {groupFailure("v1"), "v1: the server"},
		"everything":                {errors.New("connection refused"), "discover resources: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster([]*metav1.APIResourceList{list("apps/v1", "deployments: list")}, nil,
				apiService("v1", "apps", false), apiService("v9", "apps", true), apiService("v1beta1", "metrics.k8s.io", true))
			cluster.discoveryErr = c.err
			r := cluster.resources()
			r.refresh(t.Context())
			classes, err := r.Classes()
			if c.want == "" {
				if err != nil || classes.Class(gr("deployments.apps")) != slo.BuiltIn || classes.Class(gr("x.metrics.k8s.io")) != slo.Aggregated {
					t.Errorf("got %v, %v, want the classes", classes, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// pages answers lists of definitions in two pages; client-go's fake ignores limits.
type pages struct {
	metadata.Getter
	limits []int64
}

func (p *pages) Resource(schema.GroupVersionResource) metadata.Getter { return p }

func (p *pages) List(_ context.Context, options metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	p.limits = append(p.limits, options.Limit)
	name, next := "ones.example.com", "second"
	if options.Continue == next {
		name, next = "twos.example.com", ""
	}
	return &metav1.PartialObjectMetadataList{
		ListMeta: metav1.ListMeta{Continue: next},
		Items:    []metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{Name: name}}},
	}, nil
}

func TestDefinitionsAreReadPageByPage(t *testing.T) {
	c, paged := newFakeCluster(nil, nil), &pages{}
	r := NewResources(c.discovery, paged, c.dynamic, interval)
	r.refresh(t.Context())
	classes, err := r.Classes()
	if err != nil {
		t.Fatal(err)
	}
	if len(paged.limits) != 2 || paged.limits[0] <= 0 {
		t.Errorf("limits of the pages: %v, want two", paged.limits)
	}
	if classes.Class(gr("ones.example.com")) != slo.Custom || classes.Class(gr("twos.example.com")) != slo.Custom {
		t.Errorf("classes %v, want both pages", classes)
	}
}

func TestErrorsNameWhatCouldNotBeRead(t *testing.T) {
	refuse := func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, errors.New("forbidden") }
	c := newFakeCluster(nil, nil)
	c.metadata.PrependReactor("list", "*", refuse)
	if _, err := c.resources().read(t.Context()); err == nil || err.Error() != "list customresourcedefinitions: forbidden" {
		t.Errorf("definitions: %v", err)
	}
	c = newFakeCluster(nil, nil)
	c.dynamic.PrependReactor("list", "*", refuse)
	if _, err := c.resources().read(t.Context()); err == nil || err.Error() != "list apiservices: forbidden" {
		t.Errorf("APIServices: %v", err)
	}
	malformed := apiService("v1", "example.com", false)
	malformed.Object["spec"].(map[string]any)["service"] = "not a map"
	c = newFakeCluster(nil, nil, malformed)
	if _, err := c.resources().read(t.Context()); err == nil || !strings.Contains(err.Error(), "v1.example.com") {
		t.Errorf("malformed APIService: %v", err)
	}
}

func TestClassesOutliveTrouble(t *testing.T) {
	c := newFakeCluster([]*metav1.APIResourceList{list("v1", "pods: list")}, nil)
	r := c.resources()
	c.discoveryErr = errors.New("connection refused")
	r.refresh(t.Context())
	if pause := r.pause(); pause != firstRetry {
		t.Errorf("nothing is known, and the next try is in %s", pause)
	}
	c.discoveryErr = nil
	r.refresh(t.Context())
	c.discoveryErr = errors.New("connection refused")
	r.refresh(t.Context())
	if classes, err := r.Classes(); err != nil || classes.Class(gr("pods")) != slo.BuiltIn {
		t.Errorf("after a refresh that failed: %v, %v, want the classes known before", classes, err)
	}
	if pause := r.pause(); pause != interval {
		t.Errorf("classes are known, and the next try is in %s", pause)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	c := newFakeCluster([]*metav1.APIResourceList{list("v1", "pods: list")}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c.dynamic.PrependReactor("list", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		cancel() // in the middle of a refresh
		return true, nil, errors.New("context canceled")
	})
	r := c.resources()
	r.Run(ctx)
	if _, err := r.Classes(); err == nil || strings.Contains(err.Error(), "canceled") {
		t.Errorf("stopping became the reason that nothing is known: %v", err)
	}
}
