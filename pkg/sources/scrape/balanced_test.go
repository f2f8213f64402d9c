// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"net/http"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

// A load balancer chooses a kube-apiserver for each connection: on one that is
// kept, the others would never be seen, nor missed.
func TestKubeAPIServersGetNewConnections(t *testing.T) {
	s := newScript(t, nil, requests)
	connections := map[string]bool{}
	s.page(sources.KubeAPIServer, "a").handle(func(w http.ResponseWriter, r *http.Request) {
		connections[r.RemoteAddr] = true
		write("text/plain", "x 1\n")(w, r)
	})
	const scrapes = 3
	for range scrapes {
		s.collect()
	}
	if len(connections) != scrapes {
		t.Errorf("%d scrapes over %d connections", scrapes, len(connections))
	}
}
