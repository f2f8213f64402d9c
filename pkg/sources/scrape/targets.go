// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"

	"example.io/slo-apiserver/pkg/sources"
)

// Target is one place that exposes metrics.
type Target struct {
	// Component that answers there.
	Component sources.Component
	// Name of the instance, unique within the component.
	Name string
	// URL of its metrics; https.
	URL string
	// ServerName to expect in its certificate; "" for the host of the URL.
	ServerName string
	// Problem says why the target can not be scraped. It is expected all the same.
	Problem string
	// SampledFrom is the number of targets that this one and the others of its
	// component were chosen from; 0 when none was left out.
	SampledFrom int
}

func (t Target) id() targetID { return targetID{t.Component, t.Name} }

// remedy for an answer 403.
func (t Target) remedy() string {
	if t.Component == sources.Kubelet {
		return `the ClusterRole needs the verb "get" on the resource "nodes/metrics"`
	}
	return `the ClusterRole needs the verb "get" on the non-resource URL "/metrics"`
}

// certificateRemedy for an error over the serving certificate of a kubelet; "" for
// any other. A kubelet that has neither files nor serverTLSBootstrap signs its own
// certificate, for the name of the node alone (kubernetes cmd/kubelet/app,
// InitializeTLS).
func (t Target) certificateRemedy(err error) string {
	if t.Component != sources.Kubelet {
		return ""
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name, see --kubelet-preferred-address-types and --kubelet-insecure-tls"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is not trusted, see --kubelet-certificate-authority and --kubelet-insecure-tls"
	}
	return ""
}

// Finder finds targets. It is asked once an interval, after an error about once a second,
// and answers from memory. With an error, the targets it found before stay expected,
// and the error is a warning in every reading.
type Finder interface {
	Targets() ([]Target, error)
}

// Static is a fixed list of targets.
type Static []Target

// Targets returns the list.
func (s Static) Targets() ([]Target, error) { return s, nil }

// NewStatic returns the kube-apiservers at the URLs, such as
// https://10.0.0.1:6443. The path is /metrics unless the URL has one.
func NewStatic(urls []string) (Static, error) {
	if len(urls) == 0 {
		return nil, errors.New("no kube-apiserver URL")
	}
	names := map[string]bool{}
	var targets Static
	for _, text := range urls {
		t, err := staticTarget(text)
		if err != nil {
			return nil, err
		}
		if names[t.Name] {
			return nil, fmt.Errorf("kube-apiserver URL %s: %s is listed twice", t.URL, t.Name)
		}
		names[t.Name] = true
		targets = append(targets, t)
	}
	return targets, nil
}

func staticTarget(text string) (Target, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Target{}, errors.New("kube-apiserver URL: can not be parsed, write it as https://host:port")
	case u.User != nil:
		return Target{}, fmt.Errorf("kube-apiserver URL %s: must not hold credentials", u.Redacted())
	case u.Scheme != "https" || u.Hostname() == "":
		return Target{}, fmt.Errorf("kube-apiserver URL %q: write it as https://host:port", text)
	case u.RawQuery != "" || u.Fragment != "":
		return Target{}, fmt.Errorf("kube-apiserver URL %q: must not have a query or fragment", text)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "443")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	return Target{Component: sources.KubeAPIServer, Name: u.Host, URL: u.String()}, nil
}
