// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster is what the cluster says of itself: which resources are its
// own, and how its priority levels are configured. Metrics do not tell either.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/pager"
	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/slo"
)

var (
	crdResource        = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	apiServiceResource = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
)

// Resources keeps the classes of the cluster's resources. A definition that was
// made since the last refresh is not known yet: its requests count as those of
// an unknown resource until then.
type Resources struct {
	discovery discovery.DiscoveryInterfaceWithContext
	metadata  metadata.Interface
	dynamic   dynamic.Interface
	interval  time.Duration
	timeout   time.Duration

	mu      sync.RWMutex
	classes *slo.Resources
	err     error
}

// NewResources asks the cluster every interval. One refresh is two discovery
// requests and a list each of CustomResourceDefinitions (metadata only: the
// schemas may be megabytes) and APIServices.
func NewResources(d discovery.DiscoveryInterfaceWithContext, m metadata.Interface, dyn dynamic.Interface, interval time.Duration) *Resources {
	return &Resources{
		discovery: d, metadata: m, dynamic: dyn,
		interval: interval, timeout: interval,
		err: errors.New("the cluster's resources have not been read yet"),
	}
}

// Run refreshes until ctx ends.
func (r *Resources) Run(ctx context.Context) {
	wait.UntilWithContext(ctx, r.refresh, r.interval)
}

// Classes returns the latest known classes; nil with the reason when there never
// were any. Classes outlive trouble: resources hardly ever change their class.
func (r *Resources) Classes() (*slo.Resources, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.classes != nil {
		return r.classes, nil
	}
	return nil, r.err
}

func (r *Resources) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	classes, err := r.read(ctx)

	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		// The first error is served as the reason of an unknown verdict; later
		// ones leave the known classes in force, so this is their only report.
		klog.FromContext(ctx).Error(err, "Could not refresh the classes of the cluster's resources", "retryAfter", r.interval)
		r.err = err
		return
	}
	r.classes, r.err = classes, nil
}

func (r *Resources) read(ctx context.Context) (*slo.Resources, error) {
	custom, err := r.customResources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list customresourcedefinitions: %w", err)
	}
	aggregated, err := r.aggregatedGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list apiservices: %w", err)
	}
	_, lists, err := r.discovery.ServerGroupsAndResourcesWithContext(ctx)
	if err := builtInFailure(err, aggregated); err != nil {
		return nil, fmt.Errorf("discover resources: %w", err)
	}
	return slo.NewResources(classify(lists, custom, aggregated), aggregated), nil
}

// builtInFailure drops failures of aggregated groups: their servers may be down,
// and nothing about them is needed but that they are aggregated.
func builtInFailure(err error, aggregated map[string]bool) error {
	var failed *discovery.ErrGroupDiscoveryFailed
	if !errors.As(err, &failed) {
		return err
	}
	for gv, groupErr := range failed.Groups {
		if !aggregated[gv.Group] {
			return fmt.Errorf("%s: %w", gv, groupErr)
		}
	}
	return nil
}

// customResources lists the resources that definitions define. The name of a
// definition is always <plural>.<group> (apiextensions validation).
func (r *Resources) customResources(ctx context.Context) (map[schema.GroupResource]bool, error) {
	found := map[schema.GroupResource]bool{}
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return r.metadata.Resource(crdResource).List(ctx, opts)
	}
	err := pager.New(list).EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
		object, err := meta.Accessor(obj)
		if err != nil {
			return err
		}
		found[schema.ParseGroupResource(object.GetName())] = true
		return nil
	})
	return found, err
}

// aggregatedGroups lists the groups of which all versions are served by another
// API server: those whose APIServices have a spec.service. The local ones, and
// those of definitions, have none.
func (r *Resources) aggregatedGroups(ctx context.Context) (map[string]bool, error) {
	list, err := r.dynamic.Resource(apiServiceResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	remote, local := map[string]bool{}, map[string]bool{}
	for i := range list.Items {
		group, _, err := unstructured.NestedString(list.Items[i].Object, "spec", "group")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list.Items[i].GetName(), err)
		}
		service, _, err := unstructured.NestedMap(list.Items[i].Object, "spec", "service")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list.Items[i].GetName(), err)
		}
		if service != nil {
			remote[group] = true
		} else {
			local[group] = true
		}
	}
	maps.DeleteFunc(remote, func(group string, _ bool) bool { return local[group] })
	return remote, nil
}

// classify gives every discovered or defined resource its class. A resource that
// can be listed in any version is stored; one that can not is virtual, such as
// the reviews (sig-scalability api_call_latency.md).
func classify(lists []*metav1.APIResourceList, custom map[schema.GroupResource]bool, aggregated map[string]bool) map[schema.GroupResource]slo.Class {
	classes := map[schema.GroupResource]slo.Class{}
	for _, list := range lists {
		if list == nil {
			continue
		}
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || aggregated[gv.Group] {
			continue
		}
		for _, resource := range list.APIResources {
			if strings.Contains(resource.Name, "/") {
				continue // a subresource has the class of its resource
			}
			gr := schema.GroupResource{Group: gv.Group, Resource: resource.Name}
			switch {
			case custom[gr]:
				classes[gr] = slo.Custom
			case slices.Contains(resource.Verbs, "list"):
				classes[gr] = slo.BuiltIn
			case classes[gr] != slo.BuiltIn:
				classes[gr] = slo.Virtual
			}
		}
	}
	for gr := range custom {
		classes[gr] = slo.Custom // also when its discovery lags behind
	}
	return classes
}
