// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/metrics"

	"example.io/slo-apiserver/pkg/sources"
)

// outcome of one scrape of a page: the problem, "" when it succeeded.
func outcome(t *testing.T, change func(*Config), handler http.HandlerFunc) string {
	t.Helper()
	s := newScript(t, change, requests)
	s.page(sources.KubeAPIServer, "a").handle(handler)
	s.collect()
	reading := s.read(time.Minute)
	return reading.Instances[0].Problem
}

func write(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func gzipped(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, body)
		_ = z.Close()
	}
}

func TestFetch(t *testing.T) {
	good := body(time.Hour, `requests_total{verb="GET"} 1`)
	// A handler that returns with the request answers at the last moment.
	timedOut := make(chan struct{})
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"text":                  {write("text/plain; version=0.0.4", good), ""},
		"gzip nobody asked for": {gzipped(good), ""},
		"at the limit":          {write("text/plain", "#"+strings.Repeat("x", 4094)+"\n"), ""},
		"over the limit":        {write("text/plain", "#"+strings.Repeat("x", 4095)+"\n"), "line 1: the answer has more than 4096 bytes, the limit"},
		"over the limit when unpacked": {gzipped("#" + strings.Repeat("x", 1<<20) + "\n"),
			"line 1: the answer has more than 4096 bytes, the limit"},
		"empty":        {write("text/plain", ""), "the answer is empty"},
		"a login page": {write("text/html", good), `content type "text/html" was not asked for`},
		"another protobuf": {write("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", good),
			"was not asked for"},
		"no content type": {func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil }, `content type ""`},
		"another encoding": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "br") },
			`content encoding "br" was not asked for`},
		"not gzip": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") }, "gzip: "},
		"401":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "401 Unauthorized: the credentials are not accepted"},
		"403":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, `the ClusterRole needs the verb "get" on the non-resource URL "/metrics"`},
		"500":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "500 Internal Server Error"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, good)
		}, "unexpected EOF"},
		"too slow": {func(http.ResponseWriter, *http.Request) { <-timedOut }, "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := func(c *Config) {
				c.Limits.BodyBytes = 4096
				if name == "too slow" {
					c.Timeout = 50 * time.Millisecond
				}
			}
			got := outcome(t, limits, test.handler)
			if name == "too slow" {
				close(timedOut)
			}
			if !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
				t.Errorf("problem %q, want %q", got, test.want)
			}
			if strings.Contains(got, "secret-token") {
				t.Errorf("problem %q tells the token", got)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	var got http.Header
	problem := outcome(t, nil, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		write("text/plain", "x 1\n")(w, r)
	})
	want := http.Header{
		"Accept": {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=1.0," +
			"text/plain;version=0.0.4;q=0.5"},
		"Accept-Encoding": {"identity"},
		"Authorization":   {"Bearer secret-token"},
		"Connection":      {"close"},
		"User-Agent":      {"slo-apiserver"},
	}
	if diff := cmp.Diff(want, got); diff != "" || problem != "" {
		t.Error(diff, problem)
	}
}

// A redirect is not followed: the token would go wherever it points.
func TestRedirect(t *testing.T) {
	followed := false
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer other.Close()
	problem := outcome(t, nil, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusFound)
	})
	if followed || !strings.Contains(problem, "302 Found: redirects are not followed") {
		t.Errorf("followed %t, problem %q", followed, problem)
	}
}

// The token goes to no target in the clear, and to none whose certificate is not
// verified, unless that was asked for.
func TestTokenStaysSafe(t *testing.T) {
	asked := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		write("text/plain", "x 1\n")(w, r)
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	known := httptest.NewUnstartedServer(handler)
	known.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that refuse the certificate
	known.StartTLS()
	defer known.Close()
	cluster := newCluster(t) // only for its CA, which is the same for every httptest server
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, cluster.rest().CAData, 0o600); err != nil {
		t.Fatal(err)
	}
	withCA, withoutCA := cluster.rest(), &rest.Config{BearerToken: "secret-token", TLSClientConfig: rest.TLSClientConfig{ServerName: "elsewhere"}}
	signal := func(c sources.Component) []sources.Signal {
		return []sources.Signal{{Name: "x", Component: c, Kind: sources.Gauge, Metrics: []string{"x"}}}
	}
	for name, test := range map[string]struct {
		target  Target
		rest    *rest.Config
		kubelet KubeletTLS
		want    string
	}{
		"verified":                  {Target{Component: sources.KubeAPIServer, URL: known.URL}, withCA, KubeletTLS{}, ""},
		"verified by another name":  {Target{Component: sources.KubeAPIServer, URL: known.URL, ServerName: "example.com"}, withCA, KubeletTLS{}, ""},
		"in the clear":              {Target{Component: sources.KubeAPIServer, URL: plain.URL}, withCA, KubeletTLS{}, "is not https"},
		"another name":              {Target{Component: sources.KubeAPIServer, URL: known.URL, ServerName: "kubernetes.default.svc"}, withCA, KubeletTLS{}, "not kubernetes.default.svc"},
		"unknown CA":                {Target{Component: sources.KubeAPIServer, URL: known.URL}, withoutCA, KubeletTLS{}, "certificate"},
		"kubelet by the same CA":    {Target{Component: sources.Kubelet, URL: known.URL}, withCA, KubeletTLS{}, ""},
		"kubelet by another CA":     {Target{Component: sources.Kubelet, URL: known.URL}, withoutCA, KubeletTLS{CertificateAuthority: ca}, ""},
		"kubelet of an unknown CA":  {Target{Component: sources.Kubelet, URL: known.URL}, withoutCA, KubeletTLS{}, "certificate"},
		"kubelet of any CA":         {Target{Component: sources.Kubelet, URL: known.URL}, withoutCA, KubeletTLS{Insecure: true}, ""},
		"insecure is for kubelets":  {Target{Component: sources.KubeAPIServer, URL: known.URL}, withoutCA, KubeletTLS{Insecure: true}, "certificate"},
		"known not to be reachable": {Target{Component: sources.Kubelet, Problem: "the node has no address"}, withCA, KubeletTLS{}, "the node has no address"},
	} {
		t.Run(name, func(t *testing.T) {
			asked = 0
			source := mustNew(t, Config{
				Signals: signal(test.target.Component), Finders: []Finder{Static{test.target}}, REST: test.rest, Kubelet: test.kubelet,
			})
			_, err := source.fetch(context.Background(), test.target,
				newScanner(source.plans[test.target.Component], source.config.Limits, newIdentities(), &source.scratch))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if (asked == 1) != (test.want == "") {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// What real registries of a kube-apiserver and of client_golang serve.
func TestRealRegistries(t *testing.T) {
	latency := sources.Signal{
		Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram,
		Metrics: []string{"latency_seconds"}, Labels: []string{"verb"},
	}
	kube := metrics.NewKubeRegistry()
	histogram := metrics.NewHistogramVec(&metrics.HistogramOpts{Name: "latency_seconds", Buckets: []float64{1, 5}}, []string{"verb"})
	kube.MustRegister(histogram)
	native := prometheus.NewRegistry()
	both := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "latency_seconds", Buckets: []float64{1, 5}, NativeHistogramBucketFactor: 1.1,
	}, []string{"verb"})
	native.MustRegister(both)

	s := newScript(t, nil, latency)
	var mu sync.Mutex
	types := map[string]string{}
	serve := func(name string, h http.Handler) {
		s.page(sources.KubeAPIServer, name).handle(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(name, "text") {
				r.Header.Set("Accept", "text/plain")
			}
			h.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			types[name], _, _ = strings.Cut(w.Header().Get("Content-Type"), ";")
		})
	}
	serve("text", metrics.HandlerFor(kube, metrics.HandlerOpts{}))
	serve("protobuf", metrics.HandlerFor(kube, metrics.HandlerOpts{}))
	serve("text, native", metrics.HandlerFor(native, metrics.HandlerOpts{}))
	serve("protobuf, native", metrics.HandlerFor(native, metrics.HandlerOpts{}))
	observe := func(verb string, v float64) {
		histogram.WithLabelValues(verb).Observe(v)
		both.WithLabelValues(verb).Observe(v)
	}
	observe("GET", 0.5)
	s.collect()
	observe("GET", 2)
	observe("LIST", 7)
	s.collect()

	got := map[string][]float64{}
	for _, series := range s.read(time.Minute).Results["latency"].Series {
		got[series.Values[0]] = append(series.Histogram.Counts, series.Histogram.Sum)
	}
	// Four instances each.
	if diff := cmp.Diff(map[string][]float64{"GET": {0, 4, 4, 8}, "LIST": {0, 0, 4, 28}}, got); diff != "" {
		t.Error(diff)
	}
	const protobuf = "application/vnd.google.protobuf"
	if diff := cmp.Diff(map[string]string{"text": "text/plain", "protobuf": protobuf, "text, native": "text/plain", "protobuf, native": protobuf}, types); diff != "" {
		t.Error(diff)
	}
}

// The source tells about itself in a registry of the caller's choice.
func TestOwnMetrics(t *testing.T) {
	s := newScript(t, nil, requests)
	registry := metrics.NewKubeRegistry()
	for _, m := range s.source.Metrics() {
		if err := registry.Register(m); err != nil {
			t.Fatal(err)
		}
	}
	answer := body(time.Hour, `requests_total{verb="GET"} 1`)
	s.page(sources.KubeAPIServer, "a").set(answer)
	s.page(sources.KubeAPIServer, "b").fail(500)
	s.collect()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := string(text(t, families...))
	for _, want := range []string{
		`slo_apiserver_scrape_total{component="kube-apiserver",result="success"} 1`,
		`slo_apiserver_scrape_total{component="kube-apiserver",result="failure"} 1`,
		`slo_apiserver_scrape_duration_seconds_count{component="kube-apiserver"} 2`,
		`slo_apiserver_scrape_series{component="kube-apiserver"} 1`,
		fmt.Sprintf(`slo_apiserver_scrape_bytes_total{component="kube-apiserver"} %d`, len(answer)),
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("no %s in:\n%s", want, out)
		}
	}
}
