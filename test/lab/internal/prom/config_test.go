// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prom

import (
	"testing"
	"time"
)

func TestRender(t *testing.T) {
	got, err := Config{
		Interval:   5 * time.Second,
		ProxyURL:   "http://127.0.0.1:1",
		CAFile:     "/ca.crt",
		TokenFile:  "/token",
		APIServers: []string{"192.0.2.1:6443", "192.0.2.2:6443"},
		Aggregated: "192.0.2.100:443",
		Kubelets:   []Kubelet{{Address: "192.0.2.10:1234", Node: "node-0"}},
	}.Render()
	if err != nil {
		t.Fatal(err)
	}
	const want = `global:
  scrape_interval: 5s
  scrape_timeout: 5s
scrape_configs:
- authorization:
    credentials_file: /token
  job_name: apiserver
  proxy_url: http://127.0.0.1:1
  scheme: https
  static_configs:
  - targets:
    - 192.0.2.1:6443
    - 192.0.2.2:6443
  tls_config:
    ca_file: /ca.crt
    server_name: kubernetes.default.svc
- authorization:
    credentials_file: /token
  job_name: kubelet
  proxy_url: http://127.0.0.1:1
  scheme: https
  static_configs:
  - labels:
      node: node-0
    targets:
    - 192.0.2.10:1234
  tls_config:
    ca_file: /ca.crt
- authorization:
    credentials_file: /token
  job_name: slo-apiserver
  proxy_url: http://127.0.0.1:1
  scheme: https
  static_configs:
  - targets:
    - 192.0.2.100:443
  tls_config:
    ca_file: /ca.crt
    server_name: slo-apiserver.slo-system.svc
`
	if string(got) != want {
		t.Errorf("got:\n%s", got)
	}
}
