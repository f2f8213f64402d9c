// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster is what the cluster says of itself: which resources are its
// own, and how its priority levels are configured. Metrics do not tell either.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// firstRetry is the pause after a refresh that failed while nothing is known yet:
// every verdict is Unknown until one succeeds.
const firstRetry = 5 * time.Second

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
	for ctx.Err() == nil {
		r.refresh(ctx)
		timer := time.NewTimer(r.pause())
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// pause until the next refresh.
func (r *Resources) pause() time.Duration {
	if _, err := r.Classes(); err != nil {
		return min(firstRetry, r.interval)
	}
	return r.interval
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
	limited, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	classes, err := r.read(limited)
	if ctx.Err() != nil {
		return // stopping is nobody's fault
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		// The first error is served as the reason of an unknown verdict; later
		// ones leave the known classes in force, so this is their only report.
		klog.FromContext(ctx).Error(err, "Could not refresh the classes of the cluster's resources")
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
	aggregated, err := r.aggregated(ctx)
	if err != nil {
		return nil, fmt.Errorf("list apiservices: %w", err)
	}
	_, lists, err := r.discovery.ServerGroupsAndResourcesWithContext(ctx)
	if err := builtInFailure(err, aggregated); err != nil {
		return nil, fmt.Errorf("discover resources: %w", err)
	}
	return slo.NewResources(classify(lists, custom, aggregated), aggregated.groups()), nil
}

// builtInFailure drops failures of aggregated versions: their servers may be
// down, and nothing about them is needed but that they are aggregated.
func builtInFailure(err error, aggregated apiServices) error {
	var failed *discovery.ErrGroupDiscoveryFailed
	if !errors.As(err, &failed) {
		return err
	}
	var builtIn []error
	for gv, groupErr := range failed.Groups {
		if !aggregated.remote[gv] {
			builtIn = append(builtIn, fmt.Errorf("%s: %w", gv, groupErr))
		}
	}
	return errors.Join(builtIn...)
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

// apiServices tell who serves which version of a group.
type apiServices struct {
	// remote versions are served by another API server, local groups have at
	// least one version that is not.
	remote map[schema.GroupVersion]bool
	local  map[string]bool
}

// groups of which every version is served by another API server.
func (a apiServices) groups() map[string]bool {
	groups := map[string]bool{}
	for gv := range a.remote {
		if !a.local[gv.Group] {
			groups[gv.Group] = true
		}
	}
	return groups
}

// aggregated lists the APIServices. Those of another API server have a
// spec.service; the local ones, and those of definitions, have none.
func (r *Resources) aggregated(ctx context.Context) (apiServices, error) {
	found := apiServices{remote: map[schema.GroupVersion]bool{}, local: map[string]bool{}}
	list, err := r.dynamic.Resource(apiServiceResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return found, err
	}
	for i := range list.Items {
		object := list.Items[i].Object
		group, _, groupErr := unstructured.NestedString(object, "spec", "group")
		version, _, versionErr := unstructured.NestedString(object, "spec", "version")
		service, _, serviceErr := unstructured.NestedMap(object, "spec", "service")
		if err := errors.Join(groupErr, versionErr, serviceErr); err != nil {
			return found, fmt.Errorf("%s: %w", list.Items[i].GetName(), err)
		}
		if service != nil {
			found.remote[schema.GroupVersion{Group: group, Version: version}] = true
		} else {
			found.local[group] = true
		}
	}
	return found, nil
}

// classify gives every discovered or defined resource its class. A resource that
// can be listed in any version is stored; one that can not is virtual, such as
// the reviews (sig-scalability api_call_latency.md).
func classify(lists []*metav1.APIResourceList, custom map[schema.GroupResource]bool, aggregated apiServices) map[schema.GroupResource]slo.Class {
	classes := map[schema.GroupResource]slo.Class{}
	for _, list := range lists {
		if list == nil {
			continue
		}
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || aggregated.remote[gv] {
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
