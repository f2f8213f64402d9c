// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/sources"
)

// podStarts is what is read of kubelets.
var podStarts = sources.Signal{
	Name: "pod starts", Component: sources.Kubelet, Kind: sources.Histogram,
	Metrics: []string{"kubelet_pod_start_sli_duration_seconds"},
}

// fleetSize in the environment makes this test binary a process of that many
// kubelets, so that what they need is not taken for what the source needs.
const fleetSize = "SLO_APISERVER_TEST_FLEET"

func TestMain(m *testing.M) {
	if size, err := strconv.Atoi(os.Getenv(fleetSize)); err == nil {
		serveFleet(size)
		return
	}
	os.Exit(m.Run())
}

// fleet is a process of kubelets, each with a port of its own.
type fleet struct {
	targets Static
	ca      []byte
}

// Targets makes a fleet a Finder.
func (f *fleet) Targets() ([]Target, error) { return f.targets, nil }

func (f *fleet) config() Config {
	return Config{
		Signals: []sources.Signal{podStarts}, Finders: []Finder{f},
		REST: &rest.Config{BearerToken: "secret-token", TLSClientConfig: rest.TLSClientConfig{CAData: f.ca}},
	}
}

// newFleet starts one. It ends with the test.
func newFleet(t testing.TB, size int) *fleet {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", fleetSize, size))
	command.Stderr = os.Stderr
	ends, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = ends.Close()
		_ = command.Wait()
	})
	// httptest has one certificate for all its servers, in any process.
	known := httptest.NewTLSServer(http.NotFoundHandler())
	defer known.Close()
	f := &fleet{ca: pemOf(known)}
	for lines := bufio.NewScanner(out); len(f.targets) < size; {
		if !lines.Scan() {
			t.Fatalf("%d of %d kubelets: %v", len(f.targets), size, lines.Err())
		}
		f.targets = append(f.targets, Target{
			Component: sources.Kubelet, Name: fmt.Sprintf("node-%d", len(f.targets)), URL: "https://" + lines.Text() + "/metrics",
		})
	}
	return f
}

// serveFleet writes the address of each kubelet, and serves until its standard
// input ends.
func serveFleet(size int) {
	template := httptest.NewUnstartedServer(nil)
	template.EnableHTTP2 = true // as kubelets do
	template.StartTLS()
	common := kubeletFamilies()
	for i := range size {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		body := append(startFamily(i), common...)
		server := &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
				_, _ = w.Write(body)
			}),
			TLSConfig: template.TLS, ErrorLog: log.New(io.Discard, "", 0), IdleTimeout: 90 * time.Second,
		}
		go func() { log.Fatal(server.Serve(tls.NewListener(listener, template.TLS))) }()
		fmt.Println(listener.Addr())
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func startFamily(i int) []byte {
	return delimited(nil, &dto.MetricFamily{
		Name: proto.String(startTime), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(1.7e9 + 100*float64(i))}}},
	})
}

// kubeletFamilies are as many bytes as a kubelet with some 50 pods has.
func kubeletFamilies() []byte {
	registry := prometheus.NewRegistry()
	bounds := []float64{0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600}
	starts := prometheus.NewHistogram(prometheus.HistogramOpts{Name: podStarts.Metrics[0], Buckets: bounds})
	bulk := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "storage_operation_duration_seconds", Buckets: bounds}, []string{"operation", "volume"})
	registry.MustRegister(starts, bulk)
	for i := range 300 {
		starts.Observe(float64(i % 7))
		bulk.WithLabelValues("verify_controller_attached_volume", strings.Repeat("x", 20)+strconv.Itoa(i)).Observe(1)
	}
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	return delimited(nil, families...)
}
