// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package prom configures the lab's Prometheus, and finds one.
package prom

import (
	"time"

	"sigs.k8s.io/yaml"
)

// Config is what the lab's Prometheus scrapes.
type Config struct {
	Interval  time.Duration
	ProxyURL  string
	CAFile    string
	TokenFile string
	// APIServers and Aggregated are host:port addresses of the cluster; they become the instance label.
	APIServers []string
	Aggregated string
	Kubelets   []Kubelet
}

// Kubelet is a scrape target with the name of its node.
type Kubelet struct{ Address, Node string }

type scrapeJob struct {
	JobName       string            `json:"job_name"`
	Scheme        string            `json:"scheme"`
	ProxyURL      string            `json:"proxy_url"`
	Authorization map[string]string `json:"authorization"`
	TLSConfig     map[string]string `json:"tls_config"`
	StaticConfigs []staticConfig    `json:"static_configs"`
}

type staticConfig struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// Render writes the configuration. The job of the product itself is there so that a test can prove that its series, which
// have the same names as a kube-apiserver's, are not counted.
func (c Config) Render() ([]byte, error) {
	kubelets := make([]staticConfig, 0, len(c.Kubelets))
	for _, k := range c.Kubelets {
		kubelets = append(kubelets, staticConfig{Targets: []string{k.Address}, Labels: map[string]string{"node": k.Node}})
	}
	return yaml.Marshal(map[string]any{
		"global": map[string]string{"scrape_interval": c.Interval.String(), "scrape_timeout": min(c.Interval, 10*time.Second).String()},
		"scrape_configs": []scrapeJob{
			c.job("apiserver", "kubernetes.default.svc", staticConfig{Targets: c.APIServers}),
			c.job("kubelet", "", kubelets...),
			c.job("slo-apiserver", "slo-apiserver.slo-system.svc", staticConfig{Targets: []string{c.Aggregated}}),
		},
	})
}

func (c Config) job(name, serverName string, targets ...staticConfig) scrapeJob {
	tls := map[string]string{"ca_file": c.CAFile}
	if serverName != "" {
		tls["server_name"] = serverName
	}
	return scrapeJob{
		JobName:       name,
		Scheme:        "https",
		ProxyURL:      c.ProxyURL,
		Authorization: map[string]string{"credentials_file": c.TokenFile},
		TLSConfig:     tls,
		StaticConfigs: targets,
	}
}
