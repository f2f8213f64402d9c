// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// recording is a server that scrapes through recorders, one for each kube-apiserver.
type recording struct {
	client    *versioned.Clientset
	process   *os.Process
	recorders []*recorder
	// spacing of the answers of one kube-apiserver.
	spacing time.Duration
	// address at which a load balancer hides the recorders; "" without.
	address string
}

// startRecorded starts a server that knows each recorder by its address.
func (l *laboratory) startRecorded() (r *recording, err error) {
	r = &recording{spacing: interval}
	if r.recorders, err = l.startRecorders(); err != nil {
		return nil, err
	}
	flag := "--scrape-apiservers=" + r.recorders[0].URL + "," + r.recorders[1].URL
	r.client, r.process, err = l.startServer("recorded", flag, "--scrape-kubelets=false")
	return r, err
}

// startBalanced starts a server that knows one address, behind which the recorders
// take turns.
func (l *laboratory) startBalanced() (r *recording, err error) {
	r = &recording{}
	if r.recorders, err = l.startRecorders(); err != nil {
		return nil, err
	}
	r.spacing = interval * time.Duration(len(r.recorders))
	balancer, err := newBalancer(r.recorders)
	if err != nil {
		return nil, err
	}
	l.closeAtEnd(balancer)
	r.address = balancer.Addr().String()
	r.client, r.process, err = l.startServer("balanced", "--scrape-apiservers=https://"+r.address, "--scrape-kubelets=false")
	return r, err
}

func (l *laboratory) startRecorders() (recorders []*recorder, err error) {
	for _, kubeAPIServer := range l.state.APIServers {
		r, err := newRecorder(l.state, kubeAPIServer)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", kubeAPIServer.Name, err)
		}
		l.closeAtEnd(r)
		recorders = append(recorders, r)
	}
	return recorders, nil
}

// instance is the name of the process whose last answer is known.
func (r *recording) instance(i int, last exposition) string {
	if r.address != "" {
		return fmt.Sprintf("%s#%d", r.address, int64(last.started()))
	}
	return r.recorders[i].server.Listener.Addr().String()
}

// balancer passes each connection on to the next of its backends.
type balancer struct{ net.Listener }

func newBalancer(backends []*recorder) (*balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for i := 0; ; i++ {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(client, backends[i%len(backends)].server.Listener.Addr().String())
		}
	}()
	return &balancer{listener}, nil
}

func pass(client net.Conn, address string) {
	defer client.Close()
	backend, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer backend.Close()
	go func() {
		_, _ = io.Copy(backend, client)
		backend.Close()
	}()
	_, _ = io.Copy(client, backend)
}

// recorder stands between a server and one kube-apiserver, and keeps the very
// answers that the server gets: what it makes of them can be worked out again.
type recorder struct {
	URL           string
	server        *httptest.Server
	kubeAPIServer apiserver

	mu     sync.Mutex
	bodies []body // the last ones, in order
}

// body is an answer of a kube-apiserver to a scrape.
type body struct {
	begun, ended time.Time
	format       expfmt.Format
	data         []byte
}

func newRecorder(state labState, kubeAPIServer apiserver) (*recorder, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeAPIServer.Kubeconfig)
	if err != nil {
		return nil, err
	}
	// Credentials are those of the server that asks.
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(config))
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	certificates := filepath.Dir(state.CAFile)
	certificate, err := tls.LoadX509KeyPair(filepath.Join(certificates, "apiserver.crt"), filepath.Join(certificates, "apiserver.key"))
	if err != nil {
		return nil, err
	}
	r := &recorder{kubeAPIServer: kubeAPIServer}
	r.server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:   func(request *httputil.ProxyRequest) { request.SetURL(target) },
		Transport: recorded{transport, r},
	})
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	r.server.EnableHTTP2 = true // as a kube-apiserver
	r.server.StartTLS()
	r.URL = r.server.URL
	return r, nil
}

// Close ends it, whoever is connected.
func (r *recorder) Close() error {
	r.server.CloseClientConnections()
	r.server.Close()
	return nil
}

// recorded is a transport that keeps the answers.
type recorded struct {
	http.RoundTripper
	*recorder
}

func (r recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	b := body{begun: time.Now()}
	response, err := r.RoundTripper.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	defer response.Body.Close()
	if b.data, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(b.data))
	b.format, b.ended = expfmt.ResponseFormat(response.Header), time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	const kept = int(2 * window / interval)
	r.bodies = slices.Delete(append(r.bodies, b), 0, max(0, len(r.bodies)+1-kept))
	return response, nil
}

// point is one number of an exposition: a counter, a gauge, or the count of a
// bucket, whose bound is then in the label le.
type point struct {
	metric string
	labels map[string]string
	number float64
}

// exposition is a body as Prometheus' own library reads it.
type exposition struct {
	begun  time.Time
	points map[string]point
}

// started is when the process says that it started.
func (e exposition) started() float64 { return e.points["process_start_time_seconds map[]"].number }

// expositions of the bodies, the oldest first.
func (r *recorder) expositions() ([]exposition, error) {
	r.mu.Lock()
	bodies := slices.Clone(r.bodies)
	r.mu.Unlock()
	all := make([]exposition, len(bodies))
	for i, b := range bodies {
		all[i] = exposition{begun: b.begun, points: map[string]point{}}
		for decoder := expfmt.NewDecoder(bytes.NewReader(b.data), b.format); ; {
			var family dto.MetricFamily
			if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("%s: %w", r.kubeAPIServer.Name, err)
			}
			all[i].add(&family)
		}
	}
	return all, nil
}

// recordedFamilies are those that are kept, beside all of API Priority & Fairness.
var recordedFamilies = []string{
	sliMetric, totalMetric, webhookMetric, requestsMetric, objectsMetric, "process_start_time_seconds",
}

func (e exposition) add(family *dto.MetricFamily) {
	name := family.GetName()
	if !slices.Contains(recordedFamilies, name) && !strings.HasPrefix(name, "apiserver_flowcontrol_") {
		return
	}
	for _, metric := range family.GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		put := func(metric string, labels map[string]string, number float64) {
			e.points[fmt.Sprint(metric, " ", labels)] = point{metric, labels, number}
		}
		switch {
		case metric.GetCounter() != nil:
			put(name, labels, metric.GetCounter().GetValue())
		case metric.GetGauge() != nil:
			put(name, labels, metric.GetGauge().GetValue())
		case name == waitMetric, slices.Contains(recordedFamilies, name):
			put(name+"_count", labels, float64(metric.GetHistogram().GetSampleCount()))
			put(name+"_sum", labels, metric.GetHistogram().GetSampleSum())
			threshold := thresholds[objectiveBy(labels)]
			for _, bucket := range metric.GetHistogram().GetBucket() {
				if bucket.GetUpperBound() == threshold {
					put(name+"_good", labels, float64(bucket.GetCumulativeCount()))
				}
			}
		}
	}
}

// increases of every series from the first exposition to the last: what a process
// counted between two of them, and all that a new one counted since its start.
func increases(all []exposition) []point {
	sums := map[string]point{}
	for i := 1; i < len(all); i++ {
		before := all[i-1].points
		if all[i].started() != all[i-1].started() {
			before = nil
		}
		for key, now := range all[i].points {
			sum := sums[key]
			sums[key] = point{now.metric, now.labels, sum.number + now.number - before[key].number}
		}
	}
	points := make([]point, 0, len(sums))
	for _, p := range sums {
		points = append(points, p)
	}
	return points
}
