// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"example.io/slo-apiserver/test/lab/internal/control"
)

// serveControl answers `lab` commands until ctx ends.
func (s *Supervisor) serveControl(ctx context.Context, servers *sync.WaitGroup) error {
	listener, err := net.Listen("unix", s.state.ControlSocket)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+control.PathStatus, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.status())
	})
	handle(mux, control.PathDelay, s.setDelay)
	handle(mux, control.PathStop, s.stopRequest)
	handle(mux, control.PathStart, s.startRequest)
	handle(mux, control.PathServe, s.serveRequest)
	handle(mux, control.PathWebhook, func(ctx context.Context, r control.WebhookRequest) error {
		return s.webhook.set(ctx, s.admin, s.plan.pki.ca.File(), r.Delay)
	})
	handle(mux, control.PathShutdown, func(context.Context, struct{}) error {
		s.shutdown()
		return nil
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	servers.Go(func() { _ = server.Serve(listener) })
	context.AfterFunc(ctx, func() { server.Close() })
	return nil
}

// handle serves one POST: the error, if any, is the answer, in words.
func handle[Request any](mux *http.ServeMux, path string, do func(context.Context, Request) error) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var request Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := do(r.Context(), request); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		}
	})
}

func (s *Supervisor) setDelay(_ context.Context, r control.DelayRequest) error {
	d, err := time.ParseDuration(r.Delay)
	if err != nil {
		return err
	}
	if d < 0 {
		return errors.New("a delay is not negative")
	}
	names := []string{r.APIServer}
	if r.APIServer == "both" {
		names = []string{big, small}
	}
	for _, name := range names {
		p, ok := s.proxies[name]
		if !ok {
			return fmt.Errorf("no apiserver %q; there are big, small and both", name)
		}
		p.Set(d)
		s.say("way of %s to etcd: %s longer", name, d)
	}
	return nil
}

func (s *Supervisor) stopRequest(ctx context.Context, r control.ComponentRequest) error {
	components, err := s.named(r.Component)
	if err != nil {
		return err
	}
	for _, c := range components {
		if _, ok := advertised[c.spec.Name]; ok && r.Address {
			if err := s.setAPIServerAddress(ctx, c.spec.Name, false); err != nil {
				return fmt.Errorf("default/kubernetes: %w", err)
			}
		}
	}
	return each(components, func(c *component) error {
		s.stop(ctx, c, stopPatience)
		s.say("%s stopped", c.spec.Name)
		return nil
	})
}

func (s *Supervisor) startRequest(ctx context.Context, r control.ComponentRequest) error {
	components, err := s.named(r.Component)
	if err != nil {
		return err
	}
	if err := s.startNew(ctx, components...); err != nil {
		return err
	}
	for _, c := range components {
		s.say("%s started", c.spec.Name)
		if _, ok := advertised[c.spec.Name]; ok {
			if err := s.setAPIServerAddress(ctx, c.spec.Name, true); err != nil {
				return fmt.Errorf("default/kubernetes: %w", err)
			}
		}
	}
	return nil
}

// serveRequest makes slo-apiserver a component like the others, which ends with the lab.
func (s *Supervisor) serveRequest(ctx context.Context, r control.ServeRequest) error {
	if found, err := s.named(aggregatedName); err == nil {
		s.stop(ctx, found[0], stopPatience)
		found[0].spec = s.plan.aggregated(s.state.ProxyURL, r.Binary, r.Args)
		return s.startNew(ctx, found...)
	}
	spec := s.plan.aggregated(s.state.ProxyURL, r.Binary, r.Args)
	return s.startNew(ctx, s.add(spec, httpReady(loopbackURL("https", s.plan.ports.aggregated)+"/readyz")))
}

// named returns one component, or all kubelets.
func (s *Supervisor) named(name string) ([]*component, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*component
	known := map[string]bool{}
	for _, c := range s.components {
		known[c.spec.Name] = true
		isKubelet := strings.HasPrefix(c.spec.Name, "kubelet-")
		if isKubelet {
			known["kubelets"] = true
		}
		if c.spec.Name == name || name == "kubelets" && isKubelet {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no component %q; there are %s", name, strings.Join(sorted(known), ", "))
	}
	return found, nil
}

func sorted(set map[string]bool) []string {
	var names []string
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
