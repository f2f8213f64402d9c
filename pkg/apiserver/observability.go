// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apimetrics "k8s.io/apiserver/pkg/endpoints/metrics"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"

	"example.io/slo-apiserver/pkg/cluster"
)

// readinessGrace is how long readiness waits for what the first answers need.
// After that they say themselves what is missing: a server that never gets ready,
// say for want of a right, makes its APIService unavailable, and that blocks the
// deletion of namespaces in the whole cluster.
const readinessGrace = 30 * time.Second

// addChecks makes readiness wait, for a while, until the cluster and the source
// have been read once. Nothing that happens to them later is a matter of health.
func (s *Server) addChecks(source *source, resources *cluster.Resources) error {
	started := time.Now()
	waits := func(name string, problem func() error) healthz.HealthChecker {
		return healthz.NamedCheck(name, func(*http.Request) error {
			if time.Since(started) > readinessGrace {
				return nil
			}
			return problem()
		})
	}
	return s.generic.AddReadyzChecks(
		waits("cluster-objects", s.objects.check),
		waits("cluster-resources", func() error { _, err := resources.Classes(); return err }),
		waits("source", source.ready),
	)
}

// addMetrics serves our own metrics together with those of the machinery, which
// live in a global registry.
func (s *Server) addMetrics(own []metrics.Registerable) error {
	apimetrics.Register()
	registry := metrics.NewKubeRegistry()
	for _, metric := range own {
		if err := registry.Register(metric); err != nil {
			return fmt.Errorf("register metric %s: %w", metric.FQName(), err)
		}
	}
	all := prometheus.Gatherers{legacyregistry.DefaultGatherer, registry}
	s.generic.Handler.NonGoRestfulMux.Handle("/metrics", metrics.HandlerFor(all, metrics.HandlerOpts{}))
	return nil
}
