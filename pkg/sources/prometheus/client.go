// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/config"
)

// DefaultMaxBytes bounds one answer. A cluster of 5,000 nodes with 3,000 latency
// keys of 23 buckets needs about 15 MB.
const DefaultMaxBytes = 64 << 20

// userAgent of all requests, those for tokens included.
const userAgent = "slo-apiserver"

// ClientConfig says how Prometheus is reached.
type ClientConfig struct {
	// URL of the API without /api/v1, with the path prefix if there is one. It
	// holds no credentials: those belong into HTTP.
	URL string
	// HTTP holds credentials, TLS, headers and proxy; see LoadHTTPConfig. Nil: none of
	// them.
	HTTP *HTTPConfig
	// Wrap adds to the transport. It may be nil.
	Wrap func(http.RoundTripper) http.RoundTripper
	// MaxBytes of one answer, after decompression; 0 means DefaultMaxBytes.
	MaxBytes int64
}

// NewClient returns a client whose answers are bounded and which follows no
// redirect. It refuses to send credentials where they could be read on the way:
// over plain HTTP to another host, or over TLS without verification.
func NewClient(c ClientConfig) (api.Client, error) {
	address, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, errors.New("the Prometheus URL is malformed") // the error would repeat credentials
	case address.Scheme != "http" && address.Scheme != "https", address.Host == "":
		return nil, errors.New("the Prometheus URL needs http:// or https:// and a host")
	case address.User != nil:
		return nil, fmt.Errorf("the Prometheus URL %s holds credentials: put them into the HTTP client configuration file as basic_auth", address.Redacted())
	case address.RawQuery != "" || address.Fragment != "":
		return nil, errors.New("the Prometheus URL has a query or a fragment: give the base URL alone")
	}
	settings := HTTPConfig{Client: config.DefaultHTTPClientConfig}
	if c.HTTP != nil {
		settings = *c.HTTP
	}
	limit := c.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	transport, err := newTransport(address, settings, limit)
	if err != nil {
		return nil, fmt.Errorf("HTTP client configuration: %w", err)
	}
	if c.Wrap != nil {
		transport = c.Wrap(transport)
	}
	return api.NewClient(api.Config{Address: c.URL, Client: &http.Client{
		Transport:     limitedTransport{next: transport, limit: limit},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
}

// newTransport sends with credentials of all kinds, and asks for compressed answers.
// Headers of the last are not signed, as proxies may change them.
func newTransport(address *url.URL, settings HTTPConfig, limit int64) (http.RoundTripper, error) {
	if err := settings.validate(); err != nil {
		return nil, err
	}
	if err := keepSecret(address, settings); err != nil {
		return nil, err
	}
	client := settings.Client
	client.FollowRedirects, client.OAuth2 = false, nil
	transport, err := config.NewRoundTripperFromConfig(client, "prometheus", config.WithUserAgent(userAgent))
	if err != nil {
		return nil, err
	}
	transport = gzipTransport{next: transport, limit: limit}
	if settings.Client.OAuth2 != nil {
		return newOAuth2Transport(*settings.Client.OAuth2, transport)
	}
	if settings.SigV4 != nil {
		return newSignedTransport(*settings.SigV4, transport), nil
	}
	return transport, nil
}
