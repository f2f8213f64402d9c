// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/prometheus/common/config"
)

// keepSecret refuses settings that would give credentials away: over plain HTTP to
// another host, over TLS without verification, or to a proxy that can read them.
func keepSecret(address *url.URL, settings HTTPConfig) error {
	client := settings.Client
	if field := secretField(settings); field != "" {
		if err := private(address, client.TLSConfig, client.ProxyConfig); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	if client.OAuth2 == nil {
		return nil
	}
	token, err := url.Parse(client.OAuth2.TokenURL)
	switch {
	case err != nil, token.Scheme != "http" && token.Scheme != "https", token.Host == "":
		return errors.New("oauth2.token_url: it needs http:// or https:// and a host")
	case token.User != nil:
		return errors.New("oauth2.token_url: it holds credentials: put them into client_id and client_secret_file")
	}
	if err := private(token, client.OAuth2.TLSConfig, client.OAuth2.ProxyConfig); err != nil {
		return fmt.Errorf("oauth2.token_url: %w", err)
	}
	return nil
}

// credentialHeader are names of headers that hold credentials whichever way they are
// given; X-Scope-OrgID and the like hold none.
var credentialHeader = regexp.MustCompile(`(?i)cookie|token|secret|password|api-?key|auth`)

// secretField names the first field that holds credentials for the API, "" when none does.
func secretField(settings HTTPConfig) string {
	client := settings.Client
	switch {
	case client.BasicAuth != nil:
		return "basic_auth"
	case client.Authorization != nil, client.BearerToken != "", client.BearerTokenFile != "":
		return "authorization"
	case client.OAuth2 != nil:
		return "oauth2"
	case settings.SigV4 != nil: // the session token is one, and a signature can be used by others for a while
		return "sigv4"
	case client.HTTPHeaders == nil:
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(client.HTTPHeaders.Headers)) {
		header := client.HTTPHeaders.Headers[name]
		if len(header.Secrets) > 0 || len(header.Files) > 0 || credentialHeader.MatchString(name) {
			return "http_headers." + name
		}
	}
	return ""
}

// private says why what is sent to an address could be read by others.
func private(to *url.URL, tls config.TLSConfig, proxy config.ProxyConfig) error {
	if to.Scheme == "https" {
		if tls.InsecureSkipVerify && !loopback(to) {
			return fmt.Errorf("credentials would go to whoever answers for %s: give tls_config.ca_file instead of insecure_skip_verify", to.Host)
		}
		return nil
	}
	if !loopback(to) {
		return fmt.Errorf("credentials would travel to %s in clear text: use https://", to.Host)
	}
	through := proxy.Proxy()
	if through == nil {
		return nil
	}
	by, err := through(&http.Request{URL: to})
	if err != nil {
		return errors.New("proxy_url is malformed") // the error would repeat credentials
	}
	if by != nil && !loopback(by) {
		return fmt.Errorf("credentials would travel to the proxy %s in clear text: use https:// for %s, or name it in no_proxy", by.Host, to.Host)
	}
	return nil
}

// loopback says that what is sent to an address does not leave the machine, or pod.
func loopback(address *url.URL) bool {
	ip := net.ParseIP(address.Hostname())
	return address.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
