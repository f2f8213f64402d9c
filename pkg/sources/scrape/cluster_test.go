// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/sources"
)

// cluster is one TLS server that plays all targets, each under a path of its own,
// and the Finder of those targets.
type cluster struct {
	server *httptest.Server
	mu     sync.Mutex
	pages  map[targetID]*page
	err    error // of Targets
}

// page is what a target answers.
type page struct {
	mu      sync.Mutex
	handler http.Handler
}

func newCluster(t testing.TB) *cluster {
	c := &cluster{pages: map[targetID]*page{}}
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	c.server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that go away
	c.server.StartTLS()
	t.Cleanup(c.server.Close)
	return c
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	component, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c.mu.Lock()
	p := c.pages[targetID{sources.Component(component), name}]
	c.mu.Unlock()
	if p == nil {
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	handler := p.handler
	p.mu.Unlock()
	handler.ServeHTTP(w, r)
}

// page of a target, which is a target from now on.
func (c *cluster) page(component sources.Component, name string) *page {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := targetID{component, name}
	if c.pages[id] == nil {
		c.pages[id] = &page{}
	}
	return c.pages[id]
}

// remove a target.
func (c *cluster) remove(component sources.Component, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pages, targetID{component, name})
}

// Targets makes a cluster a Finder.
func (c *cluster) Targets() ([]Target, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	var targets []Target
	for id := range c.pages {
		targets = append(targets, Target{
			Component: id.component, Name: id.name,
			URL: c.server.URL + "/" + string(id.component) + "/" + id.name,
		})
	}
	return targets, nil
}

func (c *cluster) rest() *rest.Config {
	return &rest.Config{BearerToken: "secret-token", TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(c.server)}}
}

// pemOf the certificate of a server.
func pemOf(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func (c *cluster) config(signals []sources.Signal) Config {
	return Config{Signals: signals, Finders: []Finder{c}, REST: c.rest()}
}

func mustNew(t testing.TB, config Config) *Source {
	t.Helper()
	source, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func (p *page) handle(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = h
}

// set the text that is answered from now on.
func (p *page) set(text string) {
	p.handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, text)
	})
}

// fail with an HTTP status from now on.
func (p *page) fail(status int) {
	p.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// quiet is a context whose logger says nothing.
func quiet() context.Context {
	return klog.NewContext(context.Background(), klog.Logger{})
}

// noon is when scripted tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
