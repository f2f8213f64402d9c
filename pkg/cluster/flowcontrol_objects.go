// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// flowControlObjects are caches of the objects in one version of the API; they hold
// objects of v1, whatever the version.
type flowControlObjects struct {
	version   string
	informers map[string]cache.SharedIndexInformer
	cancel    context.CancelFunc
	running   sync.WaitGroup
}

// hasBoth tells whether a version serves both resources.
func hasBoth(list *metav1.APIResourceList) bool {
	for _, name := range []string{PriorityLevels, FlowSchemas} {
		if !slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == name }) {
			return false
		}
	}
	return true
}

// readFlowControl starts reading; stop ends it. A list or watch that fails is told
// to trouble, besides the usual report.
func readFlowControl(ctx context.Context, client dynamic.Interface, version string, trouble chan<- struct{}) *flowControlObjects {
	ctx, cancel := context.WithCancel(ctx)
	o := &flowControlObjects{version: version, informers: map[string]cache.SharedIndexInformer{}, cancel: cancel}
	for resource, convert := range map[string]cache.TransformFunc{PriorityLevels: convertLevel, FlowSchemas: convertSchema} {
		gvr := schema.GroupVersionResource{Group: flowcontrolv1.GroupName, Version: version, Resource: resource}
		informer := dynamicinformer.NewFilteredDynamicInformer(client, gvr, metav1.NamespaceAll, 0, nil, nil).Informer()
		// Both fail only once an informer runs.
		_ = informer.SetTransform(convert)
		_ = informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, r *cache.Reflector, err error) {
			cache.DefaultWatchErrorHandler(ctx, r, err)
			select {
			case trouble <- struct{}{}:
			default: // known already
			}
		})
		o.informers[resource] = informer
		o.running.Go(func() { informer.RunWithContext(ctx) })
	}
	return o
}

func (o *flowControlObjects) stop() {
	o.cancel()
	o.running.Wait()
}

func (o *flowControlObjects) hasSynced() bool {
	return o.informers[PriorityLevels].HasSynced() && o.informers[FlowSchemas].HasSynced()
}

// waitForSync reports whether everything was read in time.
func (o *flowControlObjects) waitForSync(ctx context.Context, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return cache.WaitForCacheSync(ctx.Done(), o.hasSynced)
}

func (o *flowControlObjects) list() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema, error) {
	if !o.hasSynced() {
		return nil, nil, fmt.Errorf("%s and %s of %s/%s have not been read yet", PriorityLevels, FlowSchemas, flowcontrolv1.GroupName, o.version)
	}
	levels, err := listOf[flowcontrolv1.PriorityLevelConfiguration](o.informers[PriorityLevels])
	if err != nil {
		return nil, nil, err
	}
	schemas, err := listOf[flowcontrolv1.FlowSchema](o.informers[FlowSchemas])
	return levels, schemas, err
}

func listOf[T any](informer cache.SharedIndexInformer) ([]*T, error) {
	stored := informer.GetStore().List()
	objects := make([]*T, len(stored))
	for i, object := range stored {
		typed, ok := object.(*T)
		if !ok {
			return nil, fmt.Errorf("a cache of %T holds a %T", *new(T), object)
		}
		objects[i] = typed
	}
	return objects, nil
}
