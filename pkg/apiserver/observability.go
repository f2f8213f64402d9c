// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/util/wait"
	apimetrics "k8s.io/apiserver/pkg/endpoints/metrics"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/utils/clock"

	"example.io/slo-apiserver/pkg/cluster"
)

// readinessGrace is how long readiness waits for what the first answers need.
// After that they say themselves what is missing: a server that never gets ready,
// say for want of a right, makes its APIService unavailable, and that blocks the
// deletion of namespaces in the whole cluster.
const readinessGrace = 30 * time.Second

// need is something that the first answers need.
type need struct {
	name string
	// problem says why it is not there yet.
	problem func() error
}

func (s *Server) needs(source *source, resources *cluster.Resources) []need {
	return []need{
		{"cluster-objects", s.objects.check},
		{"cluster-resources", func() error { _, err := resources.Classes(); return err }},
		{"source", source.ready},
	}
}

// addChecks makes readiness wait, for a while, until the cluster and the source
// have been read once. Nothing that happens to them later is a matter of health.
func (s *Server) addChecks(needs []need) error {
	g := newGrace(clock.RealClock{})
	var checks []healthz.HealthChecker
	for _, n := range needs {
		checks = append(checks, g.check(n.name, n.problem))
	}
	return s.generic.AddReadyzChecks(checks...)
}

// whenReady waits, as readiness does, for what the first answers need, and then runs.
// What is evaluated before that is served for a whole interval.
func whenReady(needs []need, run func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		// After the grace, or at the end of ctx, run finds out for itself.
		_ = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, readinessGrace, true, func(context.Context) (bool, error) {
			return !slices.ContainsFunc(needs, func(n need) bool { return n.problem() != nil }), nil
		})
		run(ctx)
	}
}

// grace is the time in which checks may fail.
type grace struct {
	clock clock.PassiveClock
	end   time.Time
}

func newGrace(c clock.PassiveClock) grace {
	return grace{clock: c, end: c.Now().Add(readinessGrace)}
}

// check fails with the problem, but never after the grace.
func (g grace) check(name string, problem func() error) healthz.HealthChecker {
	return healthz.NamedCheck(name, func(*http.Request) error {
		if g.clock.Now().After(g.end) {
			return nil
		}
		return problem()
	})
}

// addMetrics serves our own metrics together with those of the machinery, which
// live in a global registry.
func (s *Server) addMetrics(own []metrics.Registerable, more ...prometheus.Gatherer) error {
	apimetrics.Register()
	handler, err := metricsHandler(legacyregistry.DefaultGatherer, own, more...)
	if err != nil {
		return err
	}
	s.generic.Handler.NonGoRestfulMux.Handle("/metrics", handler)
	return nil
}

func metricsHandler(machinery prometheus.Gatherer, own []metrics.Registerable, more ...prometheus.Gatherer) (http.Handler, error) {
	registry := metrics.NewKubeRegistry()
	for _, metric := range own {
		if err := registry.Register(metric); err != nil {
			return nil, fmt.Errorf("register metric %s: %w", metric.FQName(), err)
		}
	}
	return metrics.HandlerFor(append(prometheus.Gatherers{machinery, registry}, more...), metrics.HandlerOpts{}), nil
}
