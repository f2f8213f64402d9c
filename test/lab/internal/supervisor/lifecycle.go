// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.io/slo-apiserver/test/lab/internal/proc"
)

const (
	// readyPatience is far above the ten seconds that a step takes: CI machines are slow when everything starts at once.
	readyPatience = 3 * time.Minute
	// stopPatience lets requests end. A kube-apiserver would wait a minute for watches that nobody ends.
	stopPatience = 5 * time.Second
	// downPatience is short: the data is about to be deleted.
	downPatience = 3 * time.Second
)

// bringUp starts everything in the order in which it depends on each other, and returns when all is ready.
func (s *Supervisor) bringUp(ctx context.Context) error {
	p := s.plan
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"etcd", func(ctx context.Context) error {
			return s.startNew(ctx, s.add(p.etcd(), httpReady(loopbackURL("http", p.ports.etcd)+"/health")))
		}},
		// One after the other: two that start in the same moment can not be told apart by when they started.
		{"kube-apiserver big", func(ctx context.Context) error {
			return s.startNew(ctx, s.add(p.apiserver(big), httpReady(p.apiserverURL(big)+"/readyz")))
		}},
		{"kube-apiserver small", func(ctx context.Context) error {
			return s.startNew(ctx, s.add(p.apiserver(small), httpReady(p.apiserverURL(small)+"/readyz")))
		}},
		{"addresses, nodes and accounts", s.seed},
		{"kube-controller-manager and kube-scheduler", func(ctx context.Context) error {
			return s.startNew(ctx,
				s.add(p.controllerManager(), httpReady(loopbackURL("https", p.ports.controllerManager)+"/healthz")),
				s.add(p.scheduler(), httpReady(loopbackURL("https", p.ports.scheduler)+"/healthz")))
		}},
		{fmt.Sprintf("%d nodes", p.Nodes), func(ctx context.Context) error {
			var kubelets []*component
			for i := range p.Nodes {
				kubelets = append(kubelets, s.add(p.kubelet(i), s.nodeReady(nodeName(i))))
			}
			return s.startNew(ctx, kubelets...)
		}},
	}
	if p.Prometheus != "" {
		steps = append(steps, struct {
			what string
			do   func(context.Context) error
		}{"prometheus", func(ctx context.Context) error {
			if err := s.configurePrometheus(ctx); err != nil {
				return err
			}
			return s.startNew(ctx, s.add(p.prometheus(), httpReady(loopbackURL("http", p.ports.prometheus)+"/-/ready")))
		}})
	}
	for i, step := range steps {
		begin := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		s.say("[%d/%d] %s (%.1fs)", i+1, len(steps), step.what, time.Since(begin).Seconds())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Ready = true
	return s.state.Save(p.Dir)
}

// add makes a place for a process. ready says when it serves.
func (s *Supervisor) add(spec proc.Spec, ready func(context.Context) error) *component {
	c := &component{spec: spec, ready: ready}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.components = append(s.components, c)
	return c
}

// startNew starts components at once and waits for all.
func (s *Supervisor) startNew(ctx context.Context, components ...*component) error {
	return each(components, func(c *component) error { return s.start(ctx, c) })
}

// start starts a component that does not run and waits until it is ready.
func (s *Supervisor) start(ctx context.Context, c *component) error {
	c.busy.Lock()
	defer c.busy.Unlock()
	s.mu.Lock()
	running := c.process != nil
	s.mu.Unlock()
	if running {
		return nil
	}
	process, err := s.starter.Start(c.spec)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c.process, c.ended, c.stopped = process, "", false
	s.notePID(c, process.PID())
	s.mu.Unlock()
	go s.watch(c, process)
	return s.waitReady(ctx, c, process)
}

// watch notes the end of a process, and says so when nobody asked for it.
func (s *Supervisor) watch(c *component, process *proc.Process) {
	<-process.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.process = nil
	s.notePID(c, 0)
	if !c.stopped {
		c.ended = process.Err().Error()
		s.say("%s has ended by itself: %v; see %s", c.spec.Name, process.Err(), c.spec.LogFile)
	}
}

// notePID needs mu.
func (s *Supervisor) notePID(c *component, pid int) {
	setPID(s.state, c.spec.Name, pid)
	if err := s.state.Save(s.plan.Dir); err != nil {
		s.say("state: %v", err)
	}
}

func (s *Supervisor) waitReady(ctx context.Context, c *component, process *proc.Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	for {
		attempt, done := context.WithTimeout(ctx, 5*time.Second)
		err := c.ready(attempt)
		done()
		if err == nil {
			return nil
		}
		select {
		case <-process.Done():
			return fmt.Errorf("%s: %w; see %s", c.spec.Name, process.Err(), c.spec.LogFile)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; see %s", c.spec.Name, err, c.spec.LogFile)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends a component and keeps its place.
func (s *Supervisor) stop(ctx context.Context, c *component, patience time.Duration) {
	c.busy.Lock()
	defer c.busy.Unlock()
	s.mu.Lock()
	process := c.process
	c.stopped = true
	s.mu.Unlock()
	if process != nil {
		process.Stop(ctx, patience)
	}
}

// stopAll ends everything: clients before servers, etcd last.
func (s *Supervisor) stopAll() {
	s.mu.Lock()
	var clients, apiservers, storage []*component
	for _, c := range s.components {
		switch c.spec.Name {
		case "etcd":
			storage = append(storage, c)
		case big, small:
			apiservers = append(apiservers, c)
		default:
			clients = append(clients, c)
		}
	}
	s.mu.Unlock()
	for _, group := range [][]*component{clients, apiservers, storage} {
		_ = each(group, func(c *component) error {
			s.stop(context.Background(), c, downPatience)
			return nil
		})
	}
}

// each runs f for all components at once and returns the first error.
func each(components []*component, f func(*component) error) error {
	var wg sync.WaitGroup
	results := make([]error, len(components))
	for i, c := range components {
		wg.Go(func() { results[i] = f(c) })
	}
	wg.Wait()
	for _, err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}
