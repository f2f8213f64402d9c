// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"example.io/slo-apiserver/pkg/sources"
)

// Each kubelet keeps one connection, of HTTP/1.1, from one interval to the next.
func TestConnectionsToKubeletsAreKept(t *testing.T) {
	const kubelets, rounds = 20, 5
	var opened atomic.Int64
	var finder Static
	var ca []byte
	for i := range kubelets {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Proto != "HTTP/1.1" {
				t.Errorf("%s", r.Proto)
			}
			write("text/plain", body(time.Duration(i)*time.Hour, `kubelet_pod_start_sli_duration_seconds_bucket{le="+Inf"} 1`))(w, r)
		}))
		server.EnableHTTP2 = true // as kubelets do
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		server.StartTLS()
		t.Cleanup(server.Close)
		ca = pemOf(server)
		finder = append(finder, Target{Component: sources.Kubelet, Name: fmt.Sprint("node-", i), URL: server.URL + "/metrics"})
	}
	source := mustNew(t, Config{
		Signals: []sources.Signal{podStarts}, Finders: []Finder{finder},
		REST: &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAData: ca}},
	})
	for round := range rounds {
		source.Collect(quiet(), noon.Add(time.Duration(round)*15*time.Second))
	}
	reading, err := source.Read(quiet(), noon.Add((rounds-1)*15*time.Second), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range reading.Instances {
		if !i.Observed {
			t.Errorf("%s: %s", i.Name, i.Problem)
		}
	}
	if n := opened.Load(); n != kubelets {
		t.Errorf("%d connections to %d kubelets in %d rounds", n, kubelets, rounds)
	}
}

// A client certificate takes the place of the token: kubelets never see that.
func TestClientCertificateForKubelets(t *testing.T) {
	own, key, err := cert.GenerateSelfSignedCertKey("slo-apiserver", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	files := KubeletTLS{ClientCertificate: filepath.Join(t.TempDir(), "client.crt"), ClientKey: filepath.Join(t.TempDir(), "client.key")}
	for path, content := range map[string][]byte{files.ClientCertificate: own, files.ClientKey: key} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, component := range []sources.Component{sources.Kubelet, sources.KubeAPIServer} {
		var token string
		var certificates int
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, certificates = r.Header.Get("Authorization"), len(r.TLS.PeerCertificates)
			write("text/plain", "x 1\n")(w, r)
		}))
		server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		server.StartTLS()
		defer server.Close()
		source := mustNew(t, Config{
			Signals: []sources.Signal{{Name: "x", Component: component, Kind: sources.Gauge, Metrics: []string{"x"}}},
			Finders: []Finder{Static{{Component: component, Name: "a", URL: server.URL}}},
			REST:    &rest.Config{BearerToken: "secret-token", TLSClientConfig: rest.TLSClientConfig{CAData: pemOf(server)}},
			Kubelet: files,
		})
		source.Collect(quiet(), noon)
		wantToken, wantCertificates := "Bearer secret-token", 0
		if component == sources.Kubelet {
			wantToken, wantCertificates = "", 2 // that and the CA that comes with it
		}
		if token != wantToken || certificates != wantCertificates {
			t.Errorf("%s was shown %q and %d certificates", component, token, certificates)
		}
	}
}

// The problem of a certificate that is not accepted begins with what to do.
func TestCertificateRemedies(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that refuse the certificate
	server.StartTLS()
	defer server.Close()
	known := rest.TLSClientConfig{CAData: pemOf(server)}
	foreign, _, err := cert.GenerateSelfSignedCertKey("elsewhere", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		component  sources.Component
		serverName string
		ca         rest.TLSClientConfig
		want       string
	}{
		"unknown authority": {sources.Kubelet, "", rest.TLSClientConfig{CAData: foreign},
			"scrape kubelet a: its certificate is not trusted, see --kubelet-certificate-authority and --kubelet-insecure-tls: Get "},
		"another name": {sources.Kubelet, "node-1", known,
			"scrape kubelet a: its certificate is for another name, see --kubelet-preferred-address-types and --kubelet-insecure-tls: Get "},
		"a kube-apiserver": {sources.KubeAPIServer, "", rest.TLSClientConfig{CAData: foreign}, "scrape kube-apiserver a: Get "},
	} {
		t.Run(name, func(t *testing.T) {
			source := mustNew(t, Config{
				Signals: []sources.Signal{{Name: "x", Component: test.component, Kind: sources.Gauge, Metrics: []string{"x"}}},
				Finders: []Finder{Static{{Component: test.component, Name: "a", URL: server.URL, ServerName: test.serverName}}},
				REST:    &rest.Config{TLSClientConfig: test.ca},
			})
			source.Collect(quiet(), noon)
			reading, err := source.Read(quiet(), noon, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if got := reading.Instances[0].Problem; !strings.Contains(got, test.want) || !strings.Contains(got, "x509: ") {
				t.Errorf("problem %q, want %q", got, test.want)
			}
		})
	}
}

// Three hundred nodes that stay down are two lines each in the log, and
// none among the warnings: each is in its Instance.
func TestFailuresAreSaidOnce(t *testing.T) {
	const kubelets = 300
	var out lockedBuffer
	ctx := klog.NewContext(t.Context(), textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&out))))
	s := newScript(t, nil, podStarts)
	for i := range kubelets {
		s.page(sources.Kubelet, fmt.Sprint("node-", i)).set(body(time.Duration(i) * time.Hour))
	}
	rounds := func(n int) {
		for range n {
			s.now = s.now.Add(time.Minute)
			s.source.Collect(ctx, s.now)
		}
	}
	rounds(1)
	for i := range kubelets {
		s.page(sources.Kubelet, fmt.Sprint("node-", i)).fail(http.StatusInternalServerError)
	}
	rounds(3)
	reading := s.read(time.Minute)
	for _, i := range reading.Instances {
		if i.Observed || !strings.HasSuffix(i.Problem, "scrape kubelet "+i.Name+": 500 Internal Server Error") || len(i.Problem) > 150 {
			t.Errorf("%s: observed %t, %s", i.Name, i.Observed, i.Problem)
		}
	}
	if len(reading.Instances) != kubelets || len(reading.Warnings) > 0 {
		t.Errorf("%d instances, warnings %q", len(reading.Instances), reading.Warnings)
	}
	for i := range kubelets {
		s.page(sources.Kubelet, fmt.Sprint("node-", i)).set(body(time.Duration(i) * time.Hour))
	}
	rounds(2)
	if n := strings.Count(out.String(), "\n"); n != 2*kubelets {
		t.Errorf("%d lines in the log:\n%.1000s", n, out.String())
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
