// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"

	"example.io/slo-apiserver/pkg/apiserver"
)

const (
	sourceScrape     = "scrape"
	sourcePrometheus = "prometheus"
)

// SourceOptions say where metrics come from.
type SourceOptions struct {
	Type       string
	Scrape     apiserver.ScrapeConfig
	Prometheus apiserver.PrometheusConfig

	// sections hold the flags of the two sources, to tell which were given.
	scrapeFlags, prometheusFlags *pflag.FlagSet
}

// NewSourceOptions returns the embedded source, with the cluster's own
// kube-apiservers and kubelets as targets.
func NewSourceOptions() *SourceOptions {
	return &SourceOptions{
		Type:       sourceScrape,
		Scrape:     apiserver.DefaultScrapeConfig(),
		Prometheus: apiserver.DefaultPrometheusConfig(),
	}
}

// AddFlags adds the sections of the group.
func (o *SourceOptions) AddFlags(sections *cliflag.NamedFlagSets) {
	sections.FlagSet("source").StringVar(&o.Type, "source", o.Type,
		"Where metrics come from: scrape (from kube-apiservers and kubelets themselves) or prometheus (any Prometheus-compatible API).")

	flags := sections.FlagSet("scrape source")
	o.scrapeFlags = flags
	flags.StringSliceVar(&o.Scrape.APIServers, "scrape-apiservers", o.Scrape.APIServers,
		"URLs of the kube-apiservers to scrape, such as https://10.0.0.1:6443. Empty: those in the EndpointSlices of the service default/kubernetes.")
	flags.BoolVar(&o.Scrape.Kubelets, "scrape-kubelets", o.Scrape.Kubelets,
		"Scrape the kubelets of all nodes. Without them pod-startup-latency is Unknown.")
	flags.IntVar(&o.Scrape.KubeletsSample, "scrape-kubelets-sample", o.Scrape.KubeletsSample,
		"Scrape at most this many of the selected nodes: a random sample, the same after a restart. Reports say that their figures are those of a sample. 0: all.")
	flags.DurationVar(&o.Scrape.Timeout, "scrape-timeout", o.Scrape.Timeout,
		"Time that a target has to answer.")
	o.addKubeletFlags(flags)

	flags = sections.FlagSet("prometheus source")
	o.prometheusFlags = flags
	flags.StringVar(&o.Prometheus.URL, "prometheus-url", o.Prometheus.URL,
		"Base URL of the Prometheus-compatible API, such as https://prometheus.monitoring.svc:9090.")
	flags.StringVar(&o.Prometheus.HTTPConfigFile, "prometheus-http-config-file", o.Prometheus.HTTPConfigFile,
		"YAML file with the HTTP client configuration in the format of Prometheus: authorization, basic_auth, oauth2, tls_config, http_headers, proxy_url, and sigv4 as in remote_write. Files named in it are read again when they change.")
	flags.StringVar(&o.Prometheus.APIServerJob, "prometheus-apiserver-job", o.Prometheus.APIServerJob,
		"Regular expression, anchored at both ends, for the job label of the kube-apiservers. It must not match the job of this server, nor of other aggregated API servers.")
	flags.StringVar(&o.Prometheus.KubeletJob, "prometheus-kubelet-job", o.Prometheus.KubeletJob,
		"Regular expression, anchored at both ends, for the job label of the kubelets.")
	flags.StringArrayVar(&o.Prometheus.Match, "prometheus-match", o.Prometheus.Match,
		"Label and value, such as cluster=prod-eu, that all series of this cluster have and those of others have not. It goes into every query: one shared Thanos or Mimir gives each cluster its own answer. Repeat it for more labels.")
	flags.StringArrayVar(&o.Prometheus.QueryParameters, "prometheus-query-param", o.Prometheus.QueryParameters,
		"Parameter that goes with every query, such as partial_response=false for Thanos. Repeat it for more.")
	flags.DurationVar(&o.Prometheus.Timeout, "prometheus-timeout", o.Prometheus.Timeout,
		"Time that one query may take.")
}

// kubeletFlags have no effect without kubelets.
func kubeletFlags() []string {
	return []string{
		"scrape-kubelets-sample", "node-selector",
		"kubelet-preferred-address-types", "kubelet-port", "kubelet-use-node-status-port",
		"kubelet-certificate-authority", "kubelet-insecure-tls", "kubelet-client-certificate", "kubelet-client-key",
	}
}

// addKubeletFlags adds those that metrics-server has, by the names that it has. It
// starts out from --kubelet-port, and its manifests all turn to the node's.
func (o *SourceOptions) addKubeletFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Scrape.NodeSelector, "node-selector", o.Scrape.NodeSelector,
		"Label selector of the nodes whose kubelets are scraped, such as type!=virtual-kubelet. Reports know of no others. Empty: all.")
	flags.StringSliceVar(&o.Scrape.KubeletAddressTypes, "kubelet-preferred-address-types", o.Scrape.KubeletAddressTypes,
		"Types of node addresses to reach kubelets by, the preferred one first.")
	flags.IntVar(&o.Scrape.KubeletPort, "kubelet-port", o.Scrape.KubeletPort,
		"Port of the kubelets whose nodes do not tell theirs.")
	flags.BoolVar(&o.Scrape.KubeletUseNodeStatusPort, "kubelet-use-node-status-port", o.Scrape.KubeletUseNodeStatusPort,
		"Take the port that the status of a node tells. Otherwise that of --kubelet-port for all.")
	flags.StringVar(&o.Scrape.KubeletCAFile, "kubelet-certificate-authority", o.Scrape.KubeletCAFile,
		"File with the certificate authority of the kubelets' serving certificates. Empty: that of the cluster.")
	flags.BoolVar(&o.Scrape.KubeletInsecureTLS, "kubelet-insecure-tls", o.Scrape.KubeletInsecureTLS,
		"Do not verify the kubelets' serving certificates. Whoever answers at a node's address gets the token of this server.")
	flags.StringVar(&o.Scrape.KubeletClientCertificate, "kubelet-client-certificate", o.Scrape.KubeletClientCertificate,
		"File with a client certificate to present to kubelets instead of the token of this server.")
	flags.StringVar(&o.Scrape.KubeletClientKey, "kubelet-client-key", o.Scrape.KubeletClientKey,
		"File with the private key of --kubelet-client-certificate.")
}

// Validate checks the flags of the group against each other and the interval.
func (o *SourceOptions) Validate(interval time.Duration) []error {
	switch o.Type {
	case sourceScrape:
		return append(o.foreign(o.prometheusFlags), o.validateScrape(interval)...)
	case sourcePrometheus:
		return append(o.foreign(o.scrapeFlags), o.validatePrometheus(interval)...)
	}
	return []error{fmt.Errorf("--source %q is unknown: give %s or %s", o.Type, sourceScrape, sourcePrometheus)}
}

// foreign complains of flags that were given for the other source: they would
// have no effect.
func (o *SourceOptions) foreign(flags *pflag.FlagSet) []error {
	var given []string
	if flags != nil {
		flags.VisitAll(func(flag *pflag.Flag) {
			if flag.Changed {
				given = append(given, "--"+flag.Name)
			}
		})
	}
	if len(given) == 0 {
		return nil
	}
	return []error{fmt.Errorf("%s: no effect with --source=%s; remove, or choose the other source", strings.Join(given, ", "), o.Type)}
}

func (o *SourceOptions) validateScrape(interval time.Duration) []error {
	errs := o.Scrape.Validate()
	if o.Scrape.Timeout > interval && changed(o.scrapeFlags, "scrape-timeout") {
		errs = append(errs, fmt.Errorf("--scrape-timeout %s is longer than --interval %s: scrapes would overlap", o.Scrape.Timeout, interval))
	}
	for _, name := range kubeletFlags() {
		if !o.Scrape.Kubelets && changed(o.scrapeFlags, name) {
			errs = append(errs, fmt.Errorf("--%s has no effect with --scrape-kubelets=false", name))
		}
	}
	if o.Scrape.Kubelets {
		errs = append(errs, o.validateKubeletFiles()...)
	}
	return errs
}

// validateKubeletFiles checks that they can be read: an error of the client that reads
// them later on does not name the flag.
func (o *SourceOptions) validateKubeletFiles() []error {
	var errs []error
	for _, file := range []struct{ flag, path string }{
		{"kubelet-certificate-authority", o.Scrape.KubeletCAFile},
		{"kubelet-client-certificate", o.Scrape.KubeletClientCertificate},
		{"kubelet-client-key", o.Scrape.KubeletClientKey},
	} {
		if file.path == "" {
			continue
		}
		if _, err := os.ReadFile(file.path); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", file.flag, err))
		}
	}
	return errs
}

func changed(flags *pflag.FlagSet, name string) bool {
	return flags != nil && flags.Changed(name)
}

func (o *SourceOptions) validatePrometheus(interval time.Duration) []error {
	if o.Prometheus.URL == "" {
		return []error{fmt.Errorf("--source=prometheus needs --prometheus-url")}
	}
	errs := o.Prometheus.Validate()
	if o.Prometheus.Timeout > interval && changed(o.prometheusFlags, "prometheus-timeout") {
		errs = append(errs, fmt.Errorf("--prometheus-timeout %s is longer than --interval %s: evaluations would overlap", o.Prometheus.Timeout, interval))
	}
	return errs
}

// Config returns the configuration of the chosen source. A default time-out gives
// way to a shorter interval.
func (o *SourceOptions) Config(interval time.Duration) apiserver.SourceConfig {
	if o.Type == sourcePrometheus {
		prometheus := o.Prometheus
		prometheus.Timeout = min(prometheus.Timeout, interval)
		return apiserver.SourceConfig{Prometheus: &prometheus}
	}
	scrape := o.Scrape
	scrape.Timeout = min(scrape.Timeout, interval)
	return apiserver.SourceConfig{Scrape: &scrape}
}
