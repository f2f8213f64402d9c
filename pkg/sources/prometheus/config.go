// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/api"

	"example.io/slo-apiserver/pkg/sources"
)

const (
	// DefaultAPIServerJob matches the names that scrape jobs of kube-apiservers
	// commonly have: in kube-prometheus-stack, in the example configuration of
	// Prometheus and the charts made after it, in the Prometheus Operator's
	// kube-prometheus, and in what managed collectors generate.
	DefaultAPIServerJob = "apiserver|kubernetes-apiservers?|kube-apiserver|controlplane-apiserver"
	// DefaultKubeletJob does so for kubelets.
	DefaultKubeletJob = "kubelet|kubernetes-nodes|kubernetes-kubelet|node-kubelet"

	defaultTimeout     = 10 * time.Second
	defaultConcurrency = 4
	// defaultMaxSeries bounds one answer; see DefaultMaxBytes for what is needed.
	defaultMaxSeries = 500_000
	// defaultMaxAge is two and a half scrapes at the longest usual interval, a minute.
	defaultMaxAge = 150 * time.Second
)

// Config of a Source.
type Config struct {
	// Client of the API; NewClient makes one.
	Client api.Client
	// Signals to read.
	Signals []sources.Signal
	// APIServerJob and KubeletJob are regular expressions for the label job of the
	// scrape jobs of each component. Like all in PromQL they match the whole value.
	// "" means DefaultAPIServerJob and DefaultKubeletJob.
	APIServerJob, KubeletJob string
	// Match restricts all queries to series with these label values, for example
	// {"cluster": "prod-1"} where Prometheus holds several clusters.
	Match map[string]string
	// Parameters that go with each query, for what takes more than Prometheus does:
	// dedup, partial_response and max_source_resolution of Thanos, extra_label of
	// VictoriaMetrics. Prometheus does not look at what it does not know.
	Parameters url.Values
	// Timeout of one query; 0 means 10 s.
	Timeout time.Duration
	// Concurrency is how many queries may be under way at once; 0 means 4.
	Concurrency int
	// MaxSeries of one answer; 0 means 500,000.
	MaxSeries int
	// MaxAge of the newest sample of an instance that counts as observed; 0 means 150 s.
	MaxAge time.Duration
	// longer makes ranges longer than the window, for tests alone: scenarios have samples
	// right at its start, which Prometheus 3 leaves out and Prometheus 2 does not. Real
	// ones are there once in tens of thousands of windows, and then extrapolation makes
	// up for them.
	longer time.Duration
}

// withDefaults returns the configuration that is in force.
func (c Config) withDefaults() Config {
	orDefault(&c.APIServerJob, DefaultAPIServerJob)
	orDefault(&c.KubeletJob, DefaultKubeletJob)
	orDefault(&c.Timeout, defaultTimeout)
	orDefault(&c.Concurrency, defaultConcurrency)
	orDefault(&c.MaxSeries, defaultMaxSeries)
	orDefault(&c.MaxAge, defaultMaxAge)
	return c
}

func orDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

var (
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
)

// ours are the labels that the queries of this package use themselves.
var ours = []string{"__name__", "job", "instance", "le"}

func (c Config) validate() error {
	if c.Client == nil {
		return errors.New("a client is needed")
	}
	if c.Timeout < 0 || c.Concurrency < 0 || c.MaxSeries < 0 || c.MaxAge < 0 {
		return errors.New("timeout, concurrency, series limit and maximum age may not be negative")
	}
	for what, job := range map[string]string{"kube-apiserver": c.APIServerJob, "kubelet": c.KubeletJob} {
		if err := ValidateJob(job); err != nil {
			return fmt.Errorf("the %s job %w", what, err)
		}
	}
	if err := errors.Join(ValidateMatch(c.Match), ValidateParameters(c.Parameters)); err != nil {
		return err
	}
	if err := validateSignals(c.Signals); err != nil {
		return err
	}
	for _, signal := range c.Signals {
		for _, name := range slices.Sorted(maps.Keys(c.Match)) {
			if _, own := signal.Match[name]; own || slices.Contains(signal.Labels, name) {
				return fmt.Errorf("the matcher %s=%q is not possible: signal %q has that label from its metric, and would be read in part", name, c.Match[name], signal.Name)
			}
		}
	}
	return nil
}

// ValidateJob says what is wrong with Config.APIServerJob or Config.KubeletJob.
func ValidateJob(job string) error {
	if _, err := regexp.Compile(job); err != nil || !utf8.ValidString(job) {
		return fmt.Errorf("%q is not a regular expression in RE2 syntax", job)
	}
	return nil
}

// ValidateMatch says what is wrong with Config.Match by itself.
func ValidateMatch(match map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(match)) {
		switch {
		case !labelName.MatchString(name):
			return fmt.Errorf("the matcher %s=%q does not begin with a label name", name, match[name])
		case name == "job":
			return fmt.Errorf("the matcher job=%q belongs into the job options, which take one for each component", match[name])
		case slices.Contains(ours, name):
			return fmt.Errorf("the matcher %s=%q is not possible: the queries use that label themselves", name, match[name])
		case !utf8.ValidString(match[name]):
			return fmt.Errorf("the value of the matcher %s is not UTF-8", name)
		}
	}
	return nil
}

// ValidateParameters says what is wrong with Config.Parameters.
func ValidateParameters(parameters url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		switch {
		case name == "":
			return errors.New("a parameter has no name")
		case slices.Contains([]string{"query", "time", "start", "end", "step", "timeout"}, name):
			return fmt.Errorf("the parameter %s is not possible: each query has its own", name)
		}
	}
	return nil
}

func validateSignals(signals []sources.Signal) error {
	names := map[string]bool{}
	for _, signal := range signals {
		if err := validateSignal(signal); err != nil {
			return fmt.Errorf("signal %q: %w", signal.Name, err)
		}
		if names[signal.Name] {
			return fmt.Errorf("signal %q is declared twice", signal.Name)
		}
		names[signal.Name] = true
	}
	if len(signals) == 0 {
		return errors.New("there are no signals to read")
	}
	return nil
}

func validateSignal(signal sources.Signal) error {
	switch {
	case signal.Component != sources.KubeAPIServer && signal.Component != sources.Kubelet:
		return fmt.Errorf("unknown component %q", signal.Component)
	case signal.Kind < sources.Histogram || signal.Kind > sources.Gauge:
		return fmt.Errorf("unknown kind %d", signal.Kind)
	case signal.Samples && (signal.Kind != sources.Gauge || !signal.PerInstance):
		return errors.New("only a gauge that is read per instance has samples")
	case len(signal.Metrics) == 0:
		return errors.New("no metric")
	}
	for _, metric := range signal.Metrics {
		if !metricName.MatchString(metric) {
			return fmt.Errorf("%q is not a metric name", metric)
		}
	}
	for i, label := range signal.Labels {
		if !labelName.MatchString(label) || slices.Contains(ours, label) || slices.Contains(signal.Labels[:i], label) {
			return fmt.Errorf("%q is not a label to keep", label)
		}
	}
	for label, values := range signal.Match {
		if !labelName.MatchString(label) || slices.Contains(ours, label) || len(values) == 0 {
			return fmt.Errorf("%q is not a label to match, or has no value", label)
		}
		if slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return fmt.Errorf("a value to match of label %q is not UTF-8", label)
		}
	}
	return nil
}
