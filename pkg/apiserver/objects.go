// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"example.io/slo-apiserver/pkg/cluster"
)

// Names of resources with a cache.
const (
	endpointSlices = "endpointslices"
	nodes          = "nodes"
)

// objects are the caches of the cluster's objects that the server reads.
type objects struct {
	factories   []informers.SharedInformerFactory
	synced      map[string]cache.InformerSynced
	flowControl *cluster.FlowControl
	running     sync.WaitGroup
	// nodes and slices are nil when nothing needs them.
	nodes  corelisters.NodeLister
	slices discoverylisters.EndpointSliceLister
}

func newObjects(config *rest.Config, scrape *ScrapeConfig) (*objects, error) {
	flowControl, err := newFlowControl(config)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client of the cluster: %w", err)
	}
	all := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(slim))
	o := &objects{
		factories: []informers.SharedInformerFactory{all},
		synced: map[string]cache.InformerSynced{
			cluster.PriorityLevels: flowControl.Synced(cluster.PriorityLevels),
			cluster.FlowSchemas:    flowControl.Synced(cluster.FlowSchemas),
		},
		flowControl: flowControl,
	}
	if scrape != nil && scrape.Kubelets {
		informer := all.Core().V1().Nodes()
		o.nodes, o.synced[nodes] = informer.Lister(), informer.Informer().HasSynced
	}
	// A Prometheus may know fewer kube-apiservers than there are: see expected.
	if scrape == nil || len(scrape.APIServers) == 0 {
		kubernetesService := informers.NewSharedInformerFactoryWithOptions(client, 0,
			informers.WithNamespace(metav1.NamespaceDefault),
			informers.WithTweakListOptions(func(options *metav1.ListOptions) {
				options.LabelSelector = discoveryv1.LabelServiceName + "=kubernetes"
			}))
		informer := kubernetesService.Discovery().V1().EndpointSlices()
		o.factories = append(o.factories, kubernetesService)
		o.slices, o.synced[endpointSlices] = informer.Lister(), informer.Informer().HasSynced
	}
	return o, nil
}

func newFlowControl(config *rest.Config) (*cluster.FlowControl, error) {
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("discovery client: %w", err)
	}
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("dynamic client: %w", err)
	}
	return cluster.NewFlowControl(d, dyn, resourcesInterval), nil
}

// slim drops what is not needed of the largest objects: a node is some 20 KB,
// most of it the names of its images.
func slim(obj any) (any, error) {
	node, ok := obj.(*corev1.Node)
	if !ok {
		return obj, nil
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: node.Name, UID: node.UID, ResourceVersion: node.ResourceVersion},
		Status:     corev1.NodeStatus{Addresses: node.Status.Addresses, DaemonEndpoints: node.Status.DaemonEndpoints},
	}, nil
}

func (o *objects) start(ctx context.Context) {
	for _, factory := range o.factories {
		factory.StartWithContext(ctx)
	}
	if o.flowControl != nil {
		o.running.Go(func() { o.flowControl.Run(ctx) })
	}
}

// shutdown returns when everything has ended that start has started. Its context
// has to have ended.
func (o *objects) shutdown() {
	o.running.Wait()
	for _, factory := range o.factories {
		factory.Shutdown()
	}
}

// check names the informers that have not synced, usually for want of a right.
func (o *objects) check() error {
	var missing []string
	for resource, synced := range o.synced {
		if !synced() {
			missing = append(missing, resource)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("%s have not been read yet (may the server list and watch them?)", strings.Join(missing, ", "))
}
