// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write a file into a directory, and return its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loaded is an HTTP client configuration beside a file "secret".
func loaded(t *testing.T, text string) *HTTPConfig {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "secret", "s3cret\n")
	c, err := LoadHTTPConfig(write(t, dir, "http.yaml", text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewClientRejects(t *testing.T) {
	const (
		token      = "authorization: {credentials_file: secret}\n"
		unverified = "tls_config: {insecure_skip_verify: true}\n"
		proxied    = "proxy_url: http://user:s3cret@proxy.example:3128\n"
		inClear    = "credentials would travel to prometheus.monitoring:9090 in clear text: use https://"
		anybody    = "credentials would go to whoever answers for prometheus:9090: give tls_config.ca_file instead"
	)
	oauth2 := func(url, more string) string {
		return "oauth2: {client_id: a, client_secret_file: secret, token_url: '" + url + "'" + more + "}\n"
	}
	for _, test := range []struct{ name, url, http, want string }{ // "" for no error
		{"no scheme", "prometheus:9090", "", "needs http:// or https:// and a host"},
		{"malformed", "http://s3cret@ho st/", "", "malformed"},
		{"credentials in the URL", "http://user:s3cret@prometheus:9090/x", "", "http://user:xxxxx@prometheus:9090/x holds credentials: put them into"},
		{"query", "http://prometheus:9090/?token=s3cret", "", "give the base URL alone"},
		{"token in clear text", "http://prometheus.monitoring:9090", token, "authorization: " + inClear},
		{"token to anybody", "https://prometheus:9090", token + unverified, "authorization: " + anybody},
		{"token over TLS", "https://prometheus:9090", token, ""},
		{"token to loopback", "http://127.0.0.1:9090", token, ""},
		{"no token", "http://prometheus.monitoring:9090", unverified, ""},
		{"password in clear text", "http://prometheus.monitoring:9090", "basic_auth: {username: a, password_file: secret}\n", "basic_auth: " + inClear},
		{"header with a secret", "http://prometheus.monitoring:9090", "http_headers: {X-Mine: {secrets: [s3cret]}}\n", "http_headers.X-Mine: " + inClear},
		{"header from a file", "http://prometheus.monitoring:9090", "http_headers: {X-Mine: {files: [secret]}}\n", "http_headers.X-Mine: " + inClear},
		{"cookie", "http://prometheus.monitoring:9090", "http_headers: {cookie: {values: [session=s3cret]}}\n", "http_headers.cookie: " + inClear},
		{"key", "http://prometheus.monitoring:9090", "http_headers: {X-Api-Key: {values: [s3cret]}}\n", "http_headers.X-Api-Key: " + inClear},
		{"header to anybody", "https://prometheus:9090", "http_headers: {X-Mine: {files: [secret]}}\n" + unverified, "http_headers.X-Mine: " + anybody},
		{"tenant", "http://prometheus.monitoring:9090", "http_headers: {X-Scope-OrgID: {values: [tenant-1]}}\n", ""},
		{"token through a proxy", "http://127.0.0.1:9090", token + proxied, "authorization: credentials would travel to the proxy proxy.example:3128 in clear text"},
		{"token past a proxy", "http://127.0.0.1:9090", token + proxied + "no_proxy: 127.0.0.1\n", ""},
		{"token through a tunnel", "https://prometheus:9090", token + proxied, ""},
		{"tenant through a proxy", "http://prometheus.monitoring:9090", "http_headers: {X-Scope-OrgID: {values: [tenant-1]}}\n" + proxied, ""},
		{"client secret in clear text", "https://prometheus:9090", oauth2("http://idp.example/token", ""), "oauth2.token_url: credentials would travel to idp.example in clear text"},
		{"client secret to anybody", "https://prometheus:9090", oauth2("https://idp.example/token", ", tls_config: {insecure_skip_verify: true}"), "oauth2.token_url: credentials would go to whoever answers for idp.example"},
		{"client secret through a proxy", "https://prometheus:9090", oauth2("http://localhost/token", ", proxy_url: 'http://proxy.example:3128'"), "oauth2.token_url: credentials would travel to the proxy"},
		{"credentials in token_url", "https://prometheus:9090", oauth2("https://a:s3cret@idp.example/token", ""), "oauth2.token_url: it holds credentials"},
		{"no token_url", "https://prometheus:9090", oauth2("idp.example/s3cret", ""), "oauth2.token_url: it needs http:// or https:// and a host"},
		{"access token in clear text", "http://prometheus.monitoring:9090", oauth2("https://idp.example/token", ""), "oauth2: " + inClear},
		{"client secret by reference", "https://prometheus:9090", "oauth2: {client_id: a, client_secret_ref: b, token_url: 'https://idp.example'}\n", "oauth2: there is no secret manager"},
		{"OAuth2", "https://prometheus:9090", oauth2("https://idp.example/token", ""), ""},
		{"signature in clear text", "http://prometheus.monitoring:9090", "sigv4: {region: eu-west-1}\n", "sigv4: " + inClear},
		{"signature", "https://prometheus:9090", "sigv4: {region: eu-west-1}\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewClient(ClientConfig{URL: test.url, HTTP: loaded(t, test.http)})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error gives the secret away: %v", err)
			}
		})
	}
}

func TestLoadHTTPConfig(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ name, text, want string }{
		{"unknown.yaml", "basic_auth:\n  username: a\nbearer: x\n", "unknown.yaml: yaml: unmarshal errors:\n  line 3: field bearer not found"},
		{"syntax.yaml", "basic_auth: [\n", "syntax.yaml: yaml: line"},
		{"two.yaml", "basic_auth: {username: a}\nauthorization: {credentials: b}\n", "two.yaml: at most one of"},
		{"signed.yaml", "sigv4: {region: a}\nauthorization: {credentials: b}\n", "signed.yaml: at most one of sigv4,"},
		{"unsigned.yaml", "sigv4:\n  secret: a\n", "unsigned.yaml: yaml: unmarshal errors:\n  line 2: field secret not found"},
		{"half.yaml", "sigv4: {access_key: a}\n", "half.yaml: must provide a AWS SigV4 Access key and Secret Key"},
	} {
		if _, err := LoadHTTPConfig(write(t, dir, test.name, test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
	if _, err := LoadHTTPConfig(filepath.Join(dir, "missing.yaml")); err == nil || strings.Count(err.Error(), "missing.yaml") != 1 {
		t.Errorf("got error %v", err)
	}
}

// clientSource is a source with that configuration, whose file "secret" is in dir.
func clientSource(t *testing.T, dir, url, text string) *Source {
	t.Helper()
	settings, err := LoadHTTPConfig(write(t, dir, "http.yaml", text))
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(ClientConfig{URL: url, HTTP: settings})
	if err != nil {
		t.Fatal(err)
	}
	source, err := New(Config{Client: client, Signals: twoSignals})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// Secrets are read again from their files, and one that is gone is named.
func TestSecretsAreReadAgain(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		_, _ = w.Write([]byte(oneBody))
	}))
	defer server.Close()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"for-` + secret + `","token_type":"bearer","expires_in":3600}`))
	}))
	defer issuer.Close()
	for text, want := range map[string]string{
		"authorization: {credentials_file: secret}\n":                                                    "Authorization: Bearer ",
		"bearer_token_file: secret\n":                                                                    "Authorization: Bearer ",
		"oauth2: {client_id: a, client_secret_file: secret, token_url: '" + issuer.URL + "'}\n":          "Authorization: Bearer for-",
		"http_headers: {X-Api-Key: {files: [secret]}, X-Scope-OrgID: {values: [tenant-1]}}\n":            "X-Api-Key: ",
		"http_headers: {X-Other: {files: [secret]}}\nproxy_url: ''\ntls_config: {server_name: a.test}\n": "X-Other: ",
	} {
		dir := t.TempDir()
		write(t, dir, "secret", "zero\n")
		source := clientSource(t, dir, server.URL, text)
		name, prefix, _ := strings.Cut(want, ": ")
		for _, secret := range []string{"one", "two"} {
			write(t, dir, "secret", secret+"\n")
			if err := source.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got.Get(name) != prefix+secret || got.Get("User-Agent") != "slo-apiserver" {
				t.Errorf("%s: got %v, want %q", text, got, prefix+secret)
			}
		}
		if err := os.Remove(filepath.Join(dir, "secret")); err != nil {
			t.Fatal(err)
		}
		if err := source.Check(t.Context()); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "secret")) {
			t.Errorf("%s: got error %v", text, err)
		}
	}
	if got.Get("X-Scope-OrgID") != "tenant-1" && got.Get("X-Other") == "" && got.Get("Authorization") == "" {
		t.Errorf("got %v", got)
	}
}
