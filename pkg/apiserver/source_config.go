// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"example.io/slo-apiserver/pkg/sources/prometheus"
)

// SourceConfig configures one source: the other is nil.
type SourceConfig struct {
	Scrape     *ScrapeConfig
	Prometheus *PrometheusConfig
}

// ScrapeConfig configures the embedded source.
type ScrapeConfig struct {
	// APIServers are URLs to scrape. Empty: those of the service default/kubernetes.
	APIServers []string
	// Kubelets of all nodes are scraped, too.
	Kubelets bool
	// KubeletAddressTypes to reach kubelets by, the preferred one first.
	KubeletAddressTypes []string
	// KubeletCAFile holds the authority of their certificates; empty: that of the cluster.
	KubeletCAFile string
	// KubeletInsecureTLS leaves their certificates unverified.
	KubeletInsecureTLS bool
	// Timeout of one scrape.
	Timeout time.Duration
}

// DefaultScrapeConfig scrapes all that the cluster names.
func DefaultScrapeConfig() ScrapeConfig {
	return ScrapeConfig{
		Kubelets: true,
		KubeletAddressTypes: []string{
			string(corev1.NodeInternalIP), string(corev1.NodeExternalIP),
			string(corev1.NodeHostName), string(corev1.NodeInternalDNS), string(corev1.NodeExternalDNS),
		},
		Timeout: 10 * time.Second,
	}
}

// Validate returns what is wrong, by the name of the flag.
func (c *ScrapeConfig) Validate() []error {
	var errs []error
	for _, target := range c.APIServers {
		if err := validateURL(target, "https"); err != nil {
			errs = append(errs, fmt.Errorf("--scrape-apiservers: %w", err))
		}
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("--scrape-timeout %s is not positive", c.Timeout))
	}
	if c.Kubelets && len(c.KubeletAddressTypes) == 0 {
		errs = append(errs, errors.New("--kubelet-preferred-address-types is empty: name at least one, such as InternalIP"))
	}
	return errs
}

// DefaultPrometheusConfig looks for jobs by their usual names.
func DefaultPrometheusConfig() PrometheusConfig {
	return PrometheusConfig{
		APIServerJob: prometheus.DefaultAPIServerJob,
		KubeletJob:   prometheus.DefaultKubeletJob,
		Timeout:      10 * time.Second,
	}
}

// PrometheusConfig configures the Prometheus source.
type PrometheusConfig struct {
	// URL of the API, without /api/v1.
	URL string
	// HTTPConfigFile is an HTTP client configuration in Prometheus' format.
	HTTPConfigFile string
	// APIServerJob and KubeletJob are anchored regular expressions for the label job.
	APIServerJob, KubeletJob string
	// Timeout of one query.
	Timeout time.Duration
}

// Validate returns what is wrong, by the name of the flag.
func (c *PrometheusConfig) Validate() []error {
	var errs []error
	if err := validateURL(c.URL, "http", "https"); err != nil {
		errs = append(errs, fmt.Errorf("--prometheus-url: %w", err))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("--prometheus-timeout %s is not positive", c.Timeout))
	}
	return errs
}

func validateURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil {
		if malformed, ok := errors.AsType[*url.Error](err); ok {
			err = malformed.Err // without the text
		}
		return fmt.Errorf("%q is malformed: %w", withoutCredentials(text), err)
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme && u.Host != "" {
			return nil
		}
	}
	return fmt.Errorf("%q is no URL with a scheme (%s) and a host", withoutCredentials(text), strings.Join(schemes, " or "))
}

// withoutCredentials drops what may be a password from a text that is no URL.
func withoutCredentials(text string) string {
	if at := strings.LastIndex(text, "@"); at >= 0 {
		return "..." + text[at:]
	}
	return text
}
