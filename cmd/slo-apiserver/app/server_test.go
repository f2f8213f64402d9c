// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/cert"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
)

// patience with what should take milliseconds.
const patience = 30 * time.Second

// logged is what anything in this process logs. klog takes no other output while it
// is in use, and informers end after their server.
var logged buffer

func TestMain(m *testing.M) {
	klog.LogToStderr(false)
	klog.SetOutput(io.MultiWriter(os.Stderr, &logged))
	os.Exit(m.Run())
}

// server runs in this process, on the flags of a command line.
type server struct {
	url    string
	client *http.Client
	stop   context.CancelFunc
	ended  chan error
}

func serve(t *testing.T, cluster *fakeCluster, args ...string) *server {
	t.Helper()
	options := parse(t, append([]string{"--kubeconfig=" + cluster.kubeconfig(t), "--scrape-apiservers=" + cluster.URL, "--scrape-kubelets=false"}, args...)...)
	// A cluster that is away is found out at the first try.
	options.Authentication.WithCustomRetryBackoff(wait.Backoff{Steps: 1})
	options.Authorization.WithCustomRetryBackoff(wait.Backoff{Steps: 1})
	options.Authentication.CacheTTL, options.Authorization.AllowCacheTTL, options.Authorization.DenyCacheTTL = 0, 0, 0
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options.SecureServing.Listener = listener
	if errs := options.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &server{
		url: "https://" + listener.Addr().String(), stop: stop, ended: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: true, // as the aggregator does
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		}},
	}
	go func() { s.ended <- run(ctx, options) }()
	t.Cleanup(func() { s.stop(); s.client.CloseIdleConnections() })
	s.waitReady(t)
	return s
}

func (s *server) waitReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		response, err := s.client.Get(s.url + "/readyz?verbose")
		if err == nil {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("%s", body)
		}
		select {
		case ended := <-s.ended:
			t.Fatalf("ended: %v", ended)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", err)
		}
	}
}

// open sends a request. The body ends with the test.
func (s *server) open(t *testing.T, path, token string) (code int, body io.Reader) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response.StatusCode, response.Body
}

func (s *server) get(t *testing.T, path, token string) (int, string) {
	t.Helper()
	code, body := s.open(t, path, token)
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return code, string(text)
}

const reportsPath = "/apis/slo.example.io/v1alpha1/sloreports"

func TestServer(t *testing.T) {
	cluster := newFakeCluster(t)
	s := serve(t, cluster)

	for _, path := range []string{reportsPath, "/apis/slo.example.io/v1alpha1/apfheadrooms", "/metrics", "/debug/pprof/", "/version", "/openapi/v3", "/"} {
		for token, want := range map[string]int{"": http.StatusForbidden, nobodyToken: http.StatusForbidden, "wrong": http.StatusUnauthorized, readerToken: http.StatusOK} {
			if code, body := s.get(t, path, token); code != want {
				t.Errorf("%s with the token %q: %d, want %d: %.200s", path, token, code, want, body)
			}
		}
	}
	for _, path := range []string{"/healthz", "/livez", "/readyz"} {
		if code, body := s.get(t, path, ""); code != http.StatusOK {
			t.Errorf("%s, asked by a kubelet: %d %s", path, code, body)
		}
	}
	// Headers of a front proxy count with its certificate alone.
	request, _ := http.NewRequest(http.MethodGet, s.url+reportsPath, nil)
	request.Header.Set("X-Remote-User", "of-a-reader")
	if response, err := s.client.Do(request); err != nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("a name in a header: %v, %v", response, err)
	} else {
		response.Body.Close()
	}
	if _, body := s.get(t, "/version", readerToken); !strings.Contains(body, fmt.Sprintf("%q: %q", "gitVersion", version.Get().GitVersion)) {
		t.Errorf("/version: %s", body)
	}
	checkMetrics(t, s)

	cluster.away.Store(true)
	if code, body := s.get(t, reportsPath, readerToken); code/100 == 2 {
		t.Errorf("nobody could be asked, and a reader was let in: %d %s", code, body)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if code, body := s.get(t, path, ""); code != http.StatusOK {
			t.Errorf("%s without a cluster: %d %s", path, code, body)
		}
	}
	cluster.away.Store(false)
	if code, body := s.get(t, reportsPath, readerToken); code != http.StatusOK {
		t.Errorf("the cluster is back: %d %s", code, body)
	}
	text := logged.String()
	if !strings.Contains(text, "Serving securely") {
		t.Errorf("this is not the log:\n%s", text)
	}
	for _, token := range []string{ownToken, readerToken, nobodyToken} {
		if strings.Contains(text, token) {
			t.Errorf("%s is in the log:\n%s", token, text)
		}
	}
}

func checkMetrics(t *testing.T, s *server) {
	t.Helper()
	_, body := s.get(t, "/metrics", readerToken)
	types := map[string]int{}
	for line := range strings.Lines(body) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[1] == "TYPE" {
			types[fields[2]]++
		}
	}
	for _, want := range []string{
		"slo_apiserver_evaluations_total", "slo_apiserver_evaluation_duration_seconds", "slo_apiserver_scrape_total", "slo_apiserver_scrape_duration_seconds",
		"apiserver_request_total", "process_cpu_seconds_total", "go_goroutines",
	} {
		if types[want] != 1 {
			t.Errorf("/metrics has %d families %s, want 1", types[want], want)
		}
	}
	for name, n := range types {
		if n > 1 {
			t.Errorf("/metrics has the family %s %d times", name, n)
		}
	}
}

// A pod has 30 seconds to end. Watches of the aggregator are always open.
func TestStopsWithAWatchOpen(t *testing.T) {
	s := serve(t, newFakeCluster(t))
	_, body := s.open(t, reportsPath+"?watch=1", readerToken)
	watch := bufio.NewReader(body)
	if line, err := watch.ReadString('\n'); err != nil || !strings.Contains(line, `"ADDED"`) {
		t.Fatalf("first event %q, %v", line, err)
	}
	over := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, watch); over <- err }()
	s.stop()
	deadline := time.After(patience / 2)
	for what, end := range map[string]chan error{"watch": over, "server": s.ended} {
		select {
		case err := <-end:
			if err != nil {
				t.Errorf("the %s ended with %v", what, err)
			}
		case <-deadline:
			t.Fatalf("the %s did not end within the time that a pod has", what)
		}
	}
}

// Without the cluster nobody could be told from anybody: it is an error to start.
func TestDoesNotStartWithoutTheCluster(t *testing.T) {
	cluster := newFakeCluster(t)
	options := parse(t, "--kubeconfig="+cluster.kubeconfig(t))
	cluster.away.Store(true)
	if err := run(t.Context(), options); err == nil || !strings.Contains(err.Error(), "delegated authentication") {
		t.Errorf("started without the cluster: %v", err)
	}
}

// The days outlive the server where there is a directory for them, and one that
// can not be used is found out before anything is served.
func TestStateDirectory(t *testing.T) {
	cluster, directory := newFakeCluster(t), t.TempDir()
	for range 2 { // the second one reads what the first has written
		s := serve(t, cluster, "--state-dir="+directory)
		s.stop()
		if err := <-s.ended; err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(directory); err != nil || len(entries) != 1 || entries[0].Name() != "ledger" {
			t.Fatalf("state directory: %v, %v", entries, err)
		}
	}
	nowhere := filepath.Join(directory, "nowhere")
	options := parse(t, "--kubeconfig="+cluster.kubeconfig(t), "--state-dir="+nowhere)
	if err := run(t.Context(), options); err == nil || !strings.Contains(err.Error(), "state directory "+nowhere) {
		t.Errorf("started without its directory: %v", err)
	}
}

// Where kubelets are sampled, selected or reached at a port of choice, the answer
// says of how many it speaks, and what to do about those that are not trusted.
func TestKubelets(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string // in the message of DataComplete
	}{
		"all":          {nil, "5 of 5 kubelets not read for all of the 5m"},
		"a sample":     {[]string{"--scrape-kubelets-sample=2"}, "the figures are those of a sample of 2 of 5 kubelets"},
		"selected":     {[]string{"--node-selector=a=b"}, "no kubelet is known"},
		"another port": {[]string{"--kubelet-use-node-status-port=false", "--kubelet-port=1"}, "127.0.0.1:1/metrics"},
		"another authority": {[]string{"--kubelet-certificate-authority=" + foreignAuthority(t)},
			"its certificate is not trusted, see --kubelet-certificate-authority and --kubelet-insecure-tls"},
		"insecure": {[]string{"--kubelet-insecure-tls"}, "5 of 5 kubelets not read for all of the 5m"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, newFakeCluster(t), append([]string{"--scrape-kubelets=true", "--interval=1s"}, c.args...)...)
			var body string
			for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				if _, body = s.get(t, reportsPath+"/pod-startup-latency", readerToken); strings.Contains(body, c.want) {
					return
				}
			}
			t.Errorf("no %q in %s", c.want, body)
		})
	}
}

func foreignAuthority(t *testing.T) string {
	t.Helper()
	authority, _, err := cert.GenerateSelfSignedCertKey("elsewhere", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(path, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	klog.Flush()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
