// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

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
	// NodeSelector is a label selector of the nodes whose kubelets are scraped;
	// empty for all.
	NodeSelector string
	// KubeletsSample is how many of the selected nodes to scrape at most; 0 for all.
	KubeletsSample int
	// KubeletPort of nodes that do not tell theirs, or of all.
	KubeletPort int
	// KubeletUseNodeStatusPort takes the port that a node tells.
	KubeletUseNodeStatusPort bool
	// KubeletAddressTypes to reach kubelets by, the preferred one first.
	KubeletAddressTypes []string
	// KubeletCAFile holds the authority of their certificates; empty: that of the cluster.
	KubeletCAFile string
	// KubeletInsecureTLS leaves their certificates unverified.
	KubeletInsecureTLS bool
	// KubeletClientCertificate and KubeletClientKey are files to present to kubelets
	// instead of the credentials for the cluster; both empty: those.
	KubeletClientCertificate, KubeletClientKey string
	// Timeout of one scrape.
	Timeout time.Duration
}

// DefaultScrapeConfig scrapes all that the cluster names.
func DefaultScrapeConfig() ScrapeConfig {
	return ScrapeConfig{
		Kubelets:                 true,
		KubeletPort:              10250, // kubernetes pkg/cluster/ports, KubeletPort
		KubeletUseNodeStatusPort: true,
		KubeletAddressTypes:      knownAddressTypes(),
		Timeout:                  10 * time.Second,
	}
}

// knownAddressTypes of nodes (k8s.io/api core/v1): an address before a name, which
// needs DNS, and the address within the cluster first.
func knownAddressTypes() []string {
	return []string{
		string(corev1.NodeInternalIP), string(corev1.NodeExternalIP),
		string(corev1.NodeHostName), string(corev1.NodeInternalDNS), string(corev1.NodeExternalDNS),
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
	if c.Kubelets {
		errs = append(errs, c.validateKubelets()...)
	}
	return errs
}

func (c *ScrapeConfig) validateKubelets() []error {
	var errs []error
	if len(c.KubeletAddressTypes) == 0 {
		errs = append(errs, errors.New("--kubelet-preferred-address-types is empty: name at least one, such as InternalIP"))
	}
	for _, name := range c.KubeletAddressTypes {
		if !slices.Contains(knownAddressTypes(), name) {
			errs = append(errs, fmt.Errorf("--kubelet-preferred-address-types: %q is unknown: give some of %s", name, strings.Join(knownAddressTypes(), ", ")))
		}
	}
	if _, err := labels.Parse(c.NodeSelector); err != nil {
		errs = append(errs, fmt.Errorf("--node-selector %q: %w", c.NodeSelector, err))
	}
	if c.KubeletsSample < 0 {
		errs = append(errs, fmt.Errorf("--scrape-kubelets-sample %d is negative: give a number of nodes, or 0 for all", c.KubeletsSample))
	}
	if c.KubeletPort < 1 || c.KubeletPort > 65535 {
		errs = append(errs, fmt.Errorf("--kubelet-port %d is no port: give 1 to 65535", c.KubeletPort))
	}
	if c.KubeletInsecureTLS && c.KubeletCAFile != "" {
		errs = append(errs, errors.New("--kubelet-insecure-tls and --kubelet-certificate-authority exclude each other"))
	}
	if (c.KubeletClientCertificate == "") != (c.KubeletClientKey == "") {
		errs = append(errs, errors.New("--kubelet-client-certificate and --kubelet-client-key need each other"))
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
	// Match are label matchers of every query, as NAME=VALUE.
	Match []string
	// QueryParameters go with every query, as NAME=VALUE.
	QueryParameters []string
	// Timeout of one query.
	Timeout time.Duration
}

// Validate returns what is wrong, by the name of the flag.
func (c *PrometheusConfig) Validate() []error {
	var errs []error
	for _, job := range []struct{ flag, value string }{
		{"--prometheus-apiserver-job", c.APIServerJob}, {"--prometheus-kubelet-job", c.KubeletJob},
	} {
		if err := prometheus.ValidateJob(job.value); err != nil {
			errs = append(errs, fmt.Errorf("%s %w", job.flag, err))
		}
	}
	if _, err := c.match(); err != nil {
		errs = append(errs, fmt.Errorf("--prometheus-match: %w", err))
	}
	if _, err := c.parameters(); err != nil {
		errs = append(errs, fmt.Errorf("--prometheus-query-param: %w", err))
	}
	if err := validateURL(c.URL, "http", "https"); err != nil {
		errs = append(errs, fmt.Errorf("--prometheus-url: %w", err))
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("--prometheus-timeout %s is not positive", c.Timeout))
	}
	return errs
}

// match is Match by name.
func (c *PrometheusConfig) match() (map[string]string, error) {
	match := map[string]string{}
	for _, text := range c.Match {
		name, value, found := strings.Cut(text, "=")
		if !found {
			return nil, fmt.Errorf("%q is no matcher: give LABEL=VALUE, such as cluster=prod-eu", text)
		}
		if other, twice := match[name]; twice {
			return nil, fmt.Errorf("%s is given twice, as %q and as %q: a series has one value only", name, other, value)
		}
		switch {
		case strings.HasPrefix(value, "~"): // which PromQL would take for an operator
			return nil, fmt.Errorf("%s is a regular expression: give one value", text)
		case len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"':
			return nil, fmt.Errorf("the value of %s has quotes: give %s=%s", text, name, value[1:len(value)-1])
		}
		match[name] = value
	}
	return match, prometheus.ValidateMatch(match)
}

// parameters are QueryParameters by name, which may come more than once.
func (c *PrometheusConfig) parameters() (url.Values, error) {
	parameters := url.Values{}
	for _, text := range c.QueryParameters {
		name, value, found := strings.Cut(text, "=")
		if !found {
			return nil, fmt.Errorf("%q is no parameter: give NAME=VALUE, such as partial_response=false", text)
		}
		parameters.Add(name, value)
	}
	return parameters, prometheus.ValidateParameters(parameters)
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
