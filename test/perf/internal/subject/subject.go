// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package subject is this project as it is measured: the embedded source with all
// signals of the product, fed from memory, and the evaluation of all reports.
// How it is fed is in this file alone.
package subject

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/scrape"
)

// Subject scrapes instances that answer from memory.
type Subject struct {
	source  *scrape.Source
	answers *answers
}

// Signals are all that the product reads of kube-apiservers and kubelets.
func Signals() []sources.Signal {
	return append(slo.Signals(), apf.Signals()...)
}

// Needed says whether the product reads a family from kube-apiservers that have
// the present names of all metrics.
func Needed(family string) bool {
	if family == "process_start_time_seconds" {
		return true
	}
	for _, signal := range Signals() {
		if signal.Component == sources.KubeAPIServer && signal.Metrics[0] == family {
			return true
		}
	}
	return false
}

// New returns a subject that keeps history of these kube-apiservers.
func New(history time.Duration, instances ...string) (*Subject, error) {
	var targets scrape.Static
	for _, name := range instances {
		targets = append(targets, scrape.Target{Component: sources.KubeAPIServer, Name: name, URL: "https://" + name + "/metrics"})
	}
	a := &answers{bodies: map[string][]byte{}}
	source, err := scrape.New(scrape.Config{
		Signals: Signals(),
		Finders: []scrape.Finder{targets},
		REST:    &rest.Config{Host: "https://unused.invalid", Transport: a},
		History: history,
		// One after the other: what is measured is work, not the number of cores.
		Concurrency: 1,
	})
	if err != nil {
		return nil, err
	}
	return &Subject{source: source, answers: a}, nil
}

// Scrape all instances at a time; those without a body do not answer.
func (s *Subject) Scrape(ctx context.Context, bodies map[string][]byte, contentType string, at time.Time) {
	s.answers.set(bodies, contentType)
	// A scrape that fails is meant to; the zero logger says nothing.
	s.source.Collect(klog.NewContext(ctx, klog.Logger{}), at)
}

// Read what the signals did.
func (s *Subject) Read(ctx context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	return s.source.Read(ctx, at, window)
}

// Check says whether all instances were read, for figures that would be worth
// nothing otherwise.
func (s *Subject) Check(ctx context.Context, at time.Time, window time.Duration) error {
	reading, err := s.Read(ctx, at, window)
	if err != nil {
		return err
	}
	var problems []error
	for _, i := range reading.Instances {
		if !i.Observed {
			problems = append(problems, fmt.Errorf("%s: %s", i.Name, i.Problem))
		}
	}
	if len(reading.Results[slo.SignalRequestLatency].Series) == 0 {
		problems = append(problems, errors.New("no series of the SLI"))
	}
	return errors.Join(problems...)
}

// answers is an http.RoundTripper that answers from memory.
type answers struct {
	mu          sync.Mutex
	bodies      map[string][]byte
	contentType string
}

func (a *answers) set(bodies map[string][]byte, contentType string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bodies, a.contentType = bodies, contentType
}

// RoundTrip answers with the body of the host, or that there is none.
func (a *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, ok := a.bodies[request.URL.Host]
	if !ok {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Status: "503 Service Unavailable", Body: io.NopCloser(strings.NewReader("")), Request: request}, nil
	}
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {a.contentType}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       request,
	}, nil
}
