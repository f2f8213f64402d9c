// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/scrape"
)

// checkTimeout bounds the proof at the start that Prometheus answers, retries
// included: both may be starting at the same time.
const checkTimeout = 10 * time.Second

// source is a Source with what the server needs to run it.
type source struct {
	sources.Source
	// historian has the past of the source; nil: it remembers none.
	historian sources.Historian
	// run does the source's own work until the context ends.
	run func(context.Context)
	// ready says why the source can not answer yet.
	ready func() error
	// check proves, at the start of the server, that there is anybody to ask; nil: there
	// is nothing to prove.
	check func(context.Context) error
	// timeout of one read.
	timeout time.Duration
	metrics []metrics.Registerable
}

var errNoSource = errors.New("no source of metrics is configured")

// newSource makes a source of these signals. It asks nobody yet.
func (c CompletedConfig) newSource(objects *objects, signals []sources.Signal) (*source, error) {
	switch {
	case c.Source.Scrape != nil:
		return c.newScrapeSource(objects, signals)
	case c.Source.Prometheus != nil:
		return c.newPrometheusSource(signals)
	}
	return nil, errNoSource
}

func (c CompletedConfig) newScrapeSource(objects *objects, signals []sources.Signal) (*source, error) {
	config := c.Source.Scrape
	finders, err := newFinders(config, objects)
	if err != nil {
		return nil, err
	}
	embedded, err := scrape.New(scrape.Config{
		Signals: signals,
		Finders: finders,
		REST:    rest.CopyConfig(c.Client),
		Kubelet: scrape.KubeletTLS{
			Insecure: config.KubeletInsecureTLS, CertificateAuthority: config.KubeletCAFile,
			ClientCertificate: config.KubeletClientCertificate, ClientKey: config.KubeletClientKey,
		},
		Interval: c.Interval,
		Timeout:  config.Timeout,
		History:  history,
	})
	if err != nil {
		return nil, err
	}
	return &source{
		Source: embedded,
		run: func(ctx context.Context) {
			if err := embedded.Run(ctx); err != nil && ctx.Err() == nil {
				klog.FromContext(ctx).Error(err, "The embedded source has ended")
			}
		},
		ready:   embedded.Ready,
		timeout: c.Interval, // reads memory only
		metrics: embedded.Metrics(),
	}, nil
}

func newFinders(config *ScrapeConfig, objects *objects) ([]scrape.Finder, error) {
	var finders []scrape.Finder
	if len(config.APIServers) > 0 {
		static, err := scrape.NewStatic(config.APIServers)
		if err != nil {
			return nil, fmt.Errorf("--scrape-apiservers: %w", err)
		}
		finders = append(finders, static)
	} else {
		finders = append(finders, scrape.APIServers{Slices: objects.slices, Synced: objects.synced[endpointSlices]})
	}
	if config.Kubelets {
		kubelets, err := newKubeletFinder(config, objects)
		if err != nil {
			return nil, err
		}
		finders = append(finders, kubelets)
	}
	return finders, nil
}

func newKubeletFinder(config *ScrapeConfig, objects *objects) (scrape.Kubelets, error) {
	selector, err := labels.Parse(config.NodeSelector)
	if err != nil {
		return scrape.Kubelets{}, fmt.Errorf("--node-selector %q: %w", config.NodeSelector, err)
	}
	types := make([]corev1.NodeAddressType, len(config.KubeletAddressTypes))
	for i, name := range config.KubeletAddressTypes {
		types[i] = corev1.NodeAddressType(name)
	}
	return scrape.Kubelets{
		Nodes: objects.nodes, Synced: objects.synced[nodes],
		Selector: selector, Sample: config.KubeletsSample,
		AddressTypes: types, Port: config.KubeletPort, IgnoreStatusPort: !config.KubeletUseNodeStatusPort,
	}, nil
}

func (c CompletedConfig) newPrometheusSource(signals []sources.Signal) (*source, error) {
	config := c.Source.Prometheus
	clientConfig := prometheus.ClientConfig{URL: config.URL}
	if config.HTTPConfigFile != "" {
		file, err := prometheus.LoadHTTPConfig(config.HTTPConfigFile)
		if err != nil {
			return nil, fmt.Errorf("--prometheus-http-config-file: %w", err)
		}
		clientConfig.HTTP = file
	}
	match, err := config.match()
	if err != nil {
		return nil, fmt.Errorf("--prometheus-match: %w", err)
	}
	parameters, err := config.parameters()
	if err != nil {
		return nil, fmt.Errorf("--prometheus-query-param: %w", err)
	}
	client, err := prometheus.NewClient(clientConfig)
	if err != nil {
		return nil, fmt.Errorf("--prometheus-url: %w", err)
	}
	api, err := prometheus.New(prometheus.Config{
		Client:       client,
		Signals:      signals,
		APIServerJob: config.APIServerJob,
		KubeletJob:   config.KubeletJob,
		Match:        match,
		Parameters:   parameters,
		Timeout:      config.Timeout,
		// With half of a window without samples there is no saying what it was like.
		MaxAge: c.Window / 2,
	})
	if err != nil {
		return nil, fmt.Errorf("prometheus source: %w", err)
	}
	return &source{
		Source:    api,
		historian: api,
		run:       func(context.Context) {},
		ready:     func() error { return nil },
		check: func(ctx context.Context) error {
			if err := check(ctx, api); err != nil {
				return fmt.Errorf("--prometheus-url %s: %w", config.URL, err)
			}
			return nil
		},
		// Some queries follow each other; all of them share the interval.
		timeout: c.Interval,
		metrics: api.Metrics(),
	}, nil
}

// check asks until there is an answer or the time is over, and returns the last
// error.
func check(ctx context.Context, api *prometheus.Source) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for {
		err := api.Check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
