// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/cluster"
	"example.io/slo-apiserver/pkg/evaluation"
	"example.io/slo-apiserver/pkg/registry/apfclassification"
	"example.io/slo-apiserver/pkg/registry/apfheadroom"
	"example.io/slo-apiserver/pkg/registry/apfsimulation"
	"example.io/slo-apiserver/pkg/registry/install"
	"example.io/slo-apiserver/pkg/registry/servicelevelindicator"
	"example.io/slo-apiserver/pkg/registry/sloreport"
)

// resourcesInterval is how often the cluster is asked for its resources. New
// definitions are rare, and cost nothing worse until then than to be excluded as
// unknown.
const resourcesInterval = 30 * time.Second

// Server is ready to run.
type Server struct {
	generic *genericapiserver.GenericAPIServer
	objects *objects
	// serve answers requests until the context ends and they are drained.
	serve func(context.Context) error
	// runners go on until the context ends.
	runners []func(context.Context)
}

// New builds the server. It checks what can be checked before anything is
// served: with Prometheus as the source, that one answers at the URL; with a state
// directory, that it can be written; with a file of objectives, that it is valid.
func (c CompletedConfig) New(ctx context.Context) (*Server, error) {
	objects, err := newObjects(c.Client, c.Source.Scrape)
	if err != nil {
		return nil, err
	}
	reload, err := c.newReload(ctx, objects)
	if err != nil {
		return nil, err
	}
	source := reload.current.source
	resources, err := newResources(c)
	if err != nil {
		return nil, err
	}
	defined := reload.inEffect()
	evaluator, err := evaluation.New(evaluation.Config{
		Source:      defined.Source,
		Historian:   defined.Historian,
		Resources:   resources,
		FlowControl: objects.flowControl,
		Objectives:  defined.Objectives,
		Unread:      defined.Unread,
		File:        defined.File,
		// The embedded source finds them by the nodes, and may be told to choose.
		EveryKubelet: c.Source.Prometheus != nil,
		Expected:     c.expected(objects),
		Window:       c.Window,
		Interval:     c.Interval,
		Timeout:      source.timeout,
		MaxAge:       4 * c.Interval,
		Clock:        clock.RealClock{},
		StateDir:     c.StateDir,
	})
	if err != nil {
		return nil, err
	}
	reload.evaluator = evaluator
	generic, err := c.generic.New("slo-apiserver", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, err
	}
	server := &Server{
		generic: generic,
		objects: objects,
		serve:   func(ctx context.Context) error { return generic.PrepareRun().RunWithContext(ctx) },
		runners: []func(context.Context){resources.Run, reload.Run},
	}
	needs := server.needs(source, resources)
	server.runners = append(server.runners, whenReady(needs, evaluator.RunLedger))
	if err := server.install(c.scheme, evaluator); err != nil {
		return nil, err
	}
	if err := server.addChecks(needs); err != nil {
		return nil, err
	}
	return server, server.addMetrics(slices.Concat(evaluator.Metrics(), reload.registerable()), reload.sourceMetrics)
}

func newResources(c CompletedConfig) (*cluster.Resources, error) {
	d, err := discovery.NewDiscoveryClientForConfig(c.Client)
	if err != nil {
		return nil, fmt.Errorf("discovery client: %w", err)
	}
	m, err := metadata.NewForConfig(c.Client)
	if err != nil {
		return nil, fmt.Errorf("metadata client: %w", err)
	}
	dyn, err := dynamic.NewForConfig(c.Client)
	if err != nil {
		return nil, fmt.Errorf("dynamic client: %w", err)
	}
	return cluster.NewResources(d, m, dyn, resourcesInterval), nil
}

// install puts the API group behind the machinery.
func (s *Server) install(scheme *runtime.Scheme, evaluator *evaluation.Evaluator) error {
	reportREST, err := sloreport.NewREST(provider[v1alpha1.SLOReport]{evaluator, reports})
	if err != nil {
		return err
	}
	indicatorREST, err := servicelevelindicator.NewREST(provider[v1alpha1.ServiceLevelIndicator]{evaluator, indicators})
	if err != nil {
		return err
	}
	headroomREST, err := apfheadroom.NewREST(provider[v1alpha1.APFHeadroom]{evaluator, headrooms})
	if err != nil {
		return err
	}
	classificationREST, selfClassificationREST, err := apfclassification.New(classifier{s.objects.flowControl, evaluator})
	if err != nil {
		return err
	}
	simulationREST, err := apfsimulation.NewREST(simulator{evaluator})
	if err != nil {
		return err
	}
	return s.generic.InstallAPIGroup(install.APIGroup(scheme, install.Storage{
		Reports: reportREST, Indicators: indicatorREST, Headrooms: headroomREST,
		Classifications: classificationREST, SelfClassifications: selfClassificationREST,
		Simulations: simulationREST,
	}))
}

// Run serves until ctx ends, and returns when everything it started has ended.
// What the answers are made from goes on until the last request is answered:
// with --shutdown-delay-duration that is some time after the end of ctx.
func (s *Server) Run(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer func() {
		cancel()
		running.Wait()
		s.objects.shutdown()
	}()

	s.objects.start(background)
	for _, run := range s.runners {
		running.Go(func() { run(background) })
	}
	return s.serve(ctx)
}
