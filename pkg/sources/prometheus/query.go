// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/api"
)

// querier sends queries: a bounded number at once, each with its own deadline.
type querier struct {
	client api.Client
	// parameters that go with each query.
	parameters url.Values
	timeout    time.Duration
	maxSeries  int
	slots      chan struct{}
	// getOnly says that POST is not allowed, and GET is.
	getOnly atomic.Bool
	metrics *queryMetrics
	// probed is what is known of what answers.
	probed *probedDialect
}

// session is what the queries of one Read have in common: their time, and the
// warnings that came with the answers.
type session struct {
	*querier
	at time.Time
	// dialect that answers.
	dialect dialect
	// past answers instead of Prometheus where many instants are read; nil: one is.
	past *past

	mu       sync.Mutex
	warnings []string // of the backend
	// skew is by how much the clock of the backend is ahead of ours.
	skew time.Duration
}

// query evaluates one query and calls each with every series of the answer that has
// points, in one goroutine. After an error what each got is void.
func (s *session) query(ctx context.Context, promql string, each func(*series) error) error {
	return s.evaluate(ctx, promql, withPoints(each))
}

// natives is query for the series that have native histograms.
func (s *session) natives(ctx context.Context, promql string, each func(*series) error) error {
	return s.evaluate(ctx, promql, func(one *series) error {
		if len(one.natives) == 0 {
			return nil // counters or gauges of the same name are none
		}
		return each(one)
	})
}

func withPoints(each func(*series) error) func(*series) error {
	return func(one *series) error {
		if len(one.points) == 0 {
			return nil
		}
		return each(one)
	}
}

func (s *session) evaluate(ctx context.Context, promql string, each func(*series) error) error {
	if s.past != nil {
		return s.past.query(ctx, s, promql, each)
	}
	return s.instant(ctx, s.at, promql, each)
}

// samples calls each with every series of the selector and its samples of that long
// up to now, as query does.
func (s *session) samples(ctx context.Context, selector string, long time.Duration, each func(*series) error) error {
	if s.past != nil {
		return s.past.samples(ctx, s, selector, long, s.ofSamples(long, each))
	}
	return s.samplesOnce(ctx, selector, long, each)
}

// samplesOnce is samples of a selector that other instants do not ask for.
func (s *session) samplesOnce(ctx context.Context, selector string, long time.Duration, each func(*series) error) error {
	return s.instant(ctx, s.at, selector+"["+duration(long)+"]", s.ofSamples(long, each))
}

func (s *session) ofSamples(long time.Duration, each func(*series) error) func(*series) error {
	return s.dialect.withoutMarkers(afterStart(s.at.Add(-long), each))
}

// afterStart drops the points of a range selector that are not after its start, which
// Prometheus 2 answers with, and Prometheus 3 and VictoriaMetrics do not: what was read
// for many instants at once has them whoever answers.
func afterStart(start time.Time, each func(*series) error) func(*series) error {
	const halfMillisecond = 0.0005
	first := seconds(start) + halfMillisecond
	return func(one *series) error {
		one.points = slices.DeleteFunc(one.points, func(p point) bool { return p.at <= first })
		if len(one.points) == 0 {
			return nil
		}
		return each(one)
	}
}

// instant evaluates a query at one time.
func (s *session) instant(ctx context.Context, at time.Time, promql string, each func(*series) error) error {
	return s.ask(ctx, "/api/v1/query", url.Values{"query": {promql}, "time": {timestamp(at)}}, each)
}

// ask sends one query when there is room for it.
func (s *session) ask(ctx context.Context, path string, form url.Values, each func(*series) error) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	start := time.Now()
	var c cost
	err := s.send(ctx, path, form, &c, func(one *series) error {
		c.series++
		c.samples += len(one.points) + len(one.natives)
		return each(one)
	})
	c.took = time.Since(start)
	s.metrics.observe(err, c)
	return err
}

// timestamp is a time as the API takes it, to the millisecond.
func timestamp(t time.Time) string {
	return strconv.FormatFloat(seconds(t), 'f', -1, 64)
}

// send one query within its own deadline, or that of the caller if it is earlier.
func (s *session) send(ctx context.Context, path string, form url.Values, c *cost, each func(*series) error) error {
	own, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	s.ownParameters(form)
	maps.Copy(form, s.parameters)
	form.Set("timeout", strconv.FormatInt(s.timeout.Milliseconds(), 10)+"ms")
	response, body, err := s.exchange(own, path, form) //nolint:bodyclose // api.Client reads and closes it
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("query %s: no answer before the time of the caller was over: %w", s.address(), ctx.Err())
	case err != nil:
		return s.transportError(err)
	case response.StatusCode/100 != 2:
		return statusError(response, body)
	}
	s.compareClocks(response.Header.Get("Date"), time.Now())
	answer, err := decode(body, s.maxSeries, each)
	c.bytes, c.loaded = len(body), answer.loaded
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of %s: %w", s.address(), err)
	case answer.status == "error":
		return fmt.Errorf("answer of Prometheus: %s", clip(answer.errorType+": "+answer.message))
	}
	s.warn(answer.warnings)
	return nil
}

// readOnly are answers to POST of what may allow GET: gateways and managed services that
// read only, and proxies that look up POST as the verb create in RBAC.
var readOnly = []int{http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented}

// exchange sends a form by POST, since queries may be longer than a URL, and by GET
// where that is not allowed.
func (s *session) exchange(ctx context.Context, path string, form url.Values) (*http.Response, string, error) {
	address := s.client.URL(path, nil)
	if !s.getOnly.Load() {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(form.Encode()))
		if err != nil {
			return nil, "", err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, body, err := s.client.Do(ctx, request)
		if err != nil || !slices.Contains(readOnly, response.StatusCode) {
			return response, string(body), err
		}
	}
	address.RawQuery = form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, "", err
	}
	response, body, err := s.client.Do(ctx, request)
	if err == nil && response.StatusCode/100 == 2 {
		s.getOnly.Store(true)
	}
	return response, string(body), err
}

// transportError names the address once, and nothing of the request.
func (s *session) transportError(err error) error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("query %s: no answer within %s: %w", s.address(), s.timeout, clipped(err))
	}
	return fmt.Errorf("query %s: %w", s.address(), clipped(err))
}

// address of Prometheus without credentials.
func (q *querier) address() string {
	address := q.client.URL("", nil)
	return (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String()
}

// warns begins the warnings of Prometheus among our own.
const warns = "Prometheus warns: "

// warn keeps the warnings of an answer, each once.
func (s *session) warn(warnings []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, warning := range warnings {
		if warning = warns + clip(warning); !slices.Contains(s.warnings, warning) {
			s.warnings = append(s.warnings, warning)
		}
	}
}
