// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDefaultsAreValid(t *testing.T) {
	scrape := DefaultScrapeConfig()
	if errs := scrape.Validate(); len(errs) > 0 {
		t.Errorf("scrape: %v", errs)
	}
	prometheus := DefaultPrometheusConfig()
	prometheus.URL = "http://prometheus.monitoring.svc:9090/prefix"
	if errs := prometheus.Validate(); len(errs) > 0 {
		t.Errorf("prometheus: %v", errs)
	}
}

func TestValidateNamesTheFlag(t *testing.T) {
	scrape := func(change func(*ScrapeConfig)) []error {
		c := DefaultScrapeConfig()
		change(&c)
		return c.Validate()
	}
	prometheus := func(change func(*PrometheusConfig)) []error {
		c := DefaultPrometheusConfig()
		c.URL = "https://prometheus:9090"
		change(&c)
		return c.Validate()
	}
	for want, errs := range map[string][]error{
		"--scrape-apiservers: \"http://10.0.0.1\"":     scrape(func(c *ScrapeConfig) { c.APIServers = []string{"https://10.0.0.2", "http://10.0.0.1"} }),
		"--scrape-apiservers: \"10.0.0.1:6443\"":       scrape(func(c *ScrapeConfig) { c.APIServers = []string{"10.0.0.1:6443"} }),
		"--scrape-timeout 0s is not positive":          scrape(func(c *ScrapeConfig) { c.Timeout = 0 }),
		"--kubelet-preferred-address-types is empty":   scrape(func(c *ScrapeConfig) { c.KubeletAddressTypes = nil }),
		"--prometheus-url: \"prometheus:9090\"":        prometheus(func(c *PrometheusConfig) { c.URL = "prometheus:9090" }),
		"--prometheus-url: \"https://\"":               prometheus(func(c *PrometheusConfig) { c.URL = "https://" }),
		"--prometheus-timeout -1s is not positive":     prometheus(func(c *PrometheusConfig) { c.Timeout = -time.Second }),
		"--prometheus-url: \"\" is no URL with a sche": prometheus(func(c *PrometheusConfig) { c.URL = "" }),
	} {
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("got %v, want one error with %q", errs, want)
		}
	}
	if errs := scrape(func(c *ScrapeConfig) { c.Kubelets, c.KubeletAddressTypes = false, nil }); len(errs) > 0 {
		t.Errorf("address types of kubelets that are not scraped: %v", errs)
	}
}

// What is wrong with a URL is said without the password in it.
func TestURLErrorsHoldNoCredentials(t *testing.T) {
	for _, text := range []string{
		"ftp://me:secret@prometheus:9090",
		"me:secret@prometheus:9090",
		"https://me:secret@prometheus:port",
		"https://me:sec%zzret@prometheus",
		"https://me:se@cret@prometheus:99999999999999999999:1",
	} {
		err := validateURL(text, "http", "https")
		if err == nil {
			t.Errorf("%s was taken", text)
			continue
		}
		if message := err.Error(); strings.Contains(message, "secret") || strings.Contains(message, "cret@") ||
			strings.Contains(message, "ret@") || !strings.Contains(message, "@prometheus") {
			t.Errorf("%s: %s", text, message)
		}
		if errors.Unwrap(err) != nil && strings.Contains(errors.Unwrap(err).Error(), "secret") {
			t.Errorf("%s: %v", text, errors.Unwrap(err))
		}
	}
}
