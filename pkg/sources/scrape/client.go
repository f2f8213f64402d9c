// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"net/http"
	"sync"

	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
)

// clients hold one HTTP client per component and TLS server name. Connections
// are reused from scrape to scrape; credentials are added and re-read, and the
// proxy environment is heeded, as client-go does.
type clients struct {
	apiserver, kubelet *rest.Config

	mu    sync.Mutex
	cache map[clientKey]*http.Client
}

type clientKey struct {
	component  sources.Component
	serverName string
}

func newClients(config *rest.Config, kubelet KubeletTLS) *clients {
	apiserver := rest.CopyConfig(config)
	apiserver.Timeout = 0               // each scrape has a deadline of its own
	apiserver.DisableCompression = true // the request says what it accepts
	return &clients{
		apiserver: apiserver,
		kubelet:   kubeletConfig(apiserver, kubelet),
		cache:     map[clientKey]*http.Client{},
	}
}

// kubeletConfig presents the same identity and checks certificates in another way.
func kubeletConfig(apiserver *rest.Config, tls KubeletTLS) *rest.Config {
	c := rest.CopyConfig(apiserver)
	c.TLSClientConfig.ServerName = ""
	switch {
	case tls.Insecure:
		c.TLSClientConfig.Insecure = true
		c.TLSClientConfig.CAFile, c.TLSClientConfig.CAData = "", nil
	case tls.CertificateAuthority != "":
		c.TLSClientConfig.Insecure = false
		c.TLSClientConfig.CAFile, c.TLSClientConfig.CAData = tls.CertificateAuthority, nil
	}
	return c
}

// of returns the client for a target.
func (c *clients) of(t Target) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := clientKey{t.Component, t.ServerName}
	if client := c.cache[key]; client != nil {
		return client, nil
	}
	config := rest.CopyConfig(c.apiserver)
	if t.Component == sources.Kubelet {
		config = rest.CopyConfig(c.kubelet)
	}
	if t.ServerName != "" {
		config.TLSClientConfig.ServerName = t.ServerName
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", t.Component, err)
	}
	c.cache[key] = &http.Client{
		Transport: transport,
		// A target that sends us elsewhere would get our token there.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c.cache[key], nil
}
