// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"
)

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string // "" for no error
	}{
		{"Prometheus", body(200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`), ""},
		{"HTML with 200", body(200, "<html>Grafana</html>"), "HTML or XML, not JSON"},
		{"another answer", body(200, emptyBody), "answers vector(1) with something else"},
		{"HTML with 404", body(404, "<html>not here</html>"), "404 Not Found: an HTML page; is this the base URL of a Prometheus API"},
		{"401", body(401, "Unauthorized\n"), "401 Unauthorized: Unauthorized; give credentials"},
		{"403", body(403, ""), "403 Forbidden: no message; the credentials do not allow"},
		{"405", body(405, ""), "queries are sent by POST"},
		{"502", body(502, "bad\x00gateway\n\nline"), "502 Bad Gateway: bad gateway line"},
		{"long text", body(500, strings.Repeat("ä", 1000)), "ä..."},
		{"bad query", body(400, `{"status":"error","errorType":"bad_data","error":"1:2: parse error"}`), "400 Bad Request: bad_data: 1:2: parse error"},
		{"an error with 200", body(200, `{"status":"error","errorType":"execution","error":"too many samples"}`), "execution: too many samples"},
		{"503 without a time", body(503, `{"status":"error","errorType":"timeout","error":"slow"}`), "503 Service Unavailable: timeout: slow"},
		{"truncated", body(200, `{"status":"success","data":{"result":[`), "ends early"},
		{"too long", body(200, `{"x":"`+strings.Repeat("x", 2<<20)), "more than 1048576 bytes"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
			"redirects are not followed, give the URL it points at (/login)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			err := newTestSource(t, server.URL, nil).Check(context.Background())
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "check Prometheus: ") {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"30": 30 * time.Second, "0": 0, "Sun, 01 Mar 2026 12:00:05 GMT": 5 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
		"": -1, "-1": -1, "soon": -1, "99999999999": -1,
	} {
		got, ok := retryAfter(header, now)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

func TestNewClientRejects(t *testing.T) {
	token := &config.HTTPClientConfig{Authorization: &config.Authorization{Type: "Bearer", Credentials: "s3cret"}}
	unverified := &config.HTTPClientConfig{Authorization: token.Authorization, TLSConfig: config.TLSConfig{InsecureSkipVerify: true}}
	for _, test := range []struct {
		name, url string
		http      *config.HTTPClientConfig
		want      string // "" for no error
	}{
		{"no scheme", "prometheus:9090", nil, "needs http:// or https:// and a host"},
		{"malformed", "http://s3cret@ho st/", nil, "malformed"},
		{"credentials in the URL", "http://user:s3cret@prometheus:9090/x", nil, "http://user:xxxxx@prometheus:9090/x holds credentials: put them into"},
		{"query", "http://prometheus:9090/?token=s3cret", nil, "give the base URL alone"},
		{"token in clear text", "http://prometheus.monitoring:9090", token, "credentials would travel to prometheus.monitoring:9090 in clear text: use https://"},
		{"token to anybody", "https://prometheus:9090", unverified, "give tls_config.ca_file instead"},
		{"token over TLS", "https://prometheus:9090", token, ""},
		{"token to loopback", "http://127.0.0.1:9090", token, ""},
		{"no token", "http://prometheus.monitoring:9090", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewClient(ClientConfig{URL: test.url, HTTP: test.http})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error gives the secret away: %v", err)
			}
		})
	}
}

func TestLoadHTTPClientConfig(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("token", "s3cret\n")
	for _, test := range []struct{ name, text, want string }{
		{"unknown.yaml", "basic_auth:\n  username: a\nbearer: x\n", "unknown.yaml: yaml: unmarshal errors:\n  line 3: field bearer not found"},
		{"syntax.yaml", "basic_auth: [\n", "syntax.yaml: yaml: line"},
		{"two.yaml", "basic_auth: {username: a}\nauthorization: {credentials: b}\n", "two.yaml: at most one of"},
	} {
		if _, err := LoadHTTPClientConfig(write(test.name, test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
	if _, err := LoadHTTPClientConfig(filepath.Join(dir, "missing.yaml")); err == nil || strings.Count(err.Error(), "missing.yaml") != 1 {
		t.Errorf("got error %v", err)
	}

	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = w.Write([]byte(`{"status":"success","data":{"result":[{"metric":{},"value":[1,"1"]}]}}`))
	}))
	defer server.Close()
	loaded, err := LoadHTTPClientConfig(write("good.yaml", "authorization: {credentials_file: token}\nhttp_headers: {X-Scope-OrgID: {values: [tenant-1]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(ClientConfig{URL: server.URL, HTTP: loaded})
	if err != nil {
		t.Fatal(err)
	}
	source, err := New(Config{Client: client, Signals: twoSignals})
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Authorization": "Bearer s3cret", "X-Scope-Orgid": "tenant-1", "User-Agent": "slo-apiserver"} {
		if got.Get(name) != want {
			t.Errorf("header %s is %q, want %q", name, got.Get(name), want)
		}
	}
}
