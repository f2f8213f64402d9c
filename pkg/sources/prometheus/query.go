// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"
)

// querier sends queries: a bounded number at once, each with its own deadline.
type querier struct {
	client    api.Client
	timeout   time.Duration
	maxSeries int
	slots     chan struct{}
	metrics   *queryMetrics
}

// session is what the queries of one Read have in common: their time, and the
// warnings that came with the answers.
type session struct {
	*querier
	at time.Time

	mu       sync.Mutex
	warnings []string
}

// query evaluates one query and calls each with every series of the answer, in one
// goroutine. After an error what each got is void.
func (s *session) query(ctx context.Context, promql string, each func(*series) error) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	start, samples := time.Now(), 0
	err := s.send(ctx, promql, func(one *series) error {
		samples += len(one.points)
		return each(one)
	})
	s.metrics.observe(err, time.Since(start), samples)
	return err
}

func (s *session) send(ctx context.Context, promql string, each func(*series) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	form := url.Values{
		"query":   {promql},
		"time":    {strconv.FormatFloat(float64(s.at.UnixMilli())/1000, 'f', -1, 64)},
		"timeout": {strconv.FormatInt(s.timeout.Milliseconds(), 10) + "ms"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.client.URL("/api/v1/query", nil).String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, body, err := s.client.Do(ctx, request) //nolint:bodyclose // api.Client reads and closes it
	if err != nil {
		return s.transportError(err)
	}
	if response.StatusCode/100 != 2 {
		return statusError(response, string(body))
	}
	answer, err := decode(string(body), s.maxSeries, each)
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of %s: %w", s.address(), err)
	case answer.status == "error":
		return fmt.Errorf("answer of Prometheus: %s", clip(answer.errorType+": "+answer.message))
	}
	s.warn(answer.warnings)
	return nil
}

// transportError names the address once, and nothing of the request.
func (s *session) transportError(err error) error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("query %s: no answer within %s: %w", s.address(), s.timeout, err)
	}
	return fmt.Errorf("query %s: %w", s.address(), err)
}

// address of Prometheus without credentials.
func (q *querier) address() string {
	address := q.client.URL("", nil)
	return (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String()
}

// warn keeps the warnings of an answer, each once.
func (s *session) warn(warnings []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, warning := range warnings {
		if warning = "Prometheus warns: " + clip(warning); !slices.Contains(s.warnings, warning) {
			s.warnings = append(s.warnings, warning)
		}
	}
}
