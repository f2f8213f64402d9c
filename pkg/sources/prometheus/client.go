// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/config"
)

// DefaultMaxBytes bounds one answer. A cluster of 5,000 nodes with 3,000 latency
// keys of 23 buckets needs about 15 MB.
const DefaultMaxBytes = 64 << 20

// ClientConfig says how Prometheus is reached.
type ClientConfig struct {
	// URL of the API without /api/v1, with the path prefix if there is one. It
	// holds no credentials: those belong into HTTP.
	URL string
	// HTTP holds credentials, TLS, headers and proxy; see LoadHTTPClientConfig.
	// Nil: none of them.
	HTTP *config.HTTPClientConfig
	// Wrap adds to the transport, for example the signing of requests. It may be nil.
	Wrap func(http.RoundTripper) http.RoundTripper
	// MaxBytes of one answer, after decompression; 0 means DefaultMaxBytes.
	MaxBytes int64
}

// LoadHTTPClientConfig reads a file in the format that Prometheus itself uses for
// its HTTP clients (https://prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config).
// Unknown fields are errors. Files named in it are relative to its directory, and
// are read again when they change. Errors name the file, and the line where it is known.
func LoadHTTPClientConfig(path string) (*config.HTTPClientConfig, error) {
	loaded, _, err := config.LoadHTTPConfigFile(path)
	var unreadable *fs.PathError // it names the file itself
	switch {
	case errors.As(err, &unreadable):
		return nil, fmt.Errorf("read HTTP client configuration: %w", err)
	case err != nil:
		return nil, fmt.Errorf("read HTTP client configuration %s: %w", path, err)
	}
	return loaded, nil
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
	settings := config.DefaultHTTPClientConfig
	if c.HTTP != nil {
		settings = *c.HTTP
		if err := settings.Validate(); err != nil {
			return nil, fmt.Errorf("HTTP client configuration: %w", err)
		}
	}
	if err := keepSecret(address, settings); err != nil {
		return nil, err
	}
	settings.FollowRedirects = false
	transport, err := config.NewRoundTripperFromConfig(settings, "prometheus", config.WithUserAgent("slo-apiserver"))
	if err != nil {
		return nil, fmt.Errorf("HTTP client configuration: %w", err)
	}
	if c.Wrap != nil {
		transport = c.Wrap(transport)
	}
	limit := c.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	return api.NewClient(api.Config{Address: c.URL, Client: &http.Client{
		Transport:     limitedTransport{next: transport, limit: limit},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
}

// keepSecret refuses settings that would give credentials away.
func keepSecret(address *url.URL, settings config.HTTPClientConfig) error {
	if settings.BasicAuth == nil && settings.Authorization == nil && settings.OAuth2 == nil &&
		settings.BearerToken == "" && settings.BearerTokenFile == "" {
		return nil
	}
	ip := net.ParseIP(address.Hostname())
	loopback := address.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case address.Scheme == "http" && !loopback:
		return fmt.Errorf("credentials would travel to %s in clear text: use https://", address.Host)
	case address.Scheme == "https" && settings.TLSConfig.InsecureSkipVerify && !loopback:
		return fmt.Errorf("credentials would go to whoever answers for %s: give tls_config.ca_file instead of insecure_skip_verify", address.Host)
	}
	return nil
}

// limitedTransport fails the reading of an answer beyond limit bytes.
type limitedTransport struct {
	next  http.RoundTripper
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (t limitedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err == nil {
		response.Body = &limitedBody{ReadCloser: response.Body, left: t.limit, limit: t.limit}
	}
	return response, err
}

type limitedBody struct {
	io.ReadCloser
	left, limit int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	// One byte more than allowed tells a body that is too long from one that fits.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", b.limit)
	}
	return n, err
}
