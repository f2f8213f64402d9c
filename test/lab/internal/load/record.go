// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Summary is what a load's clients have seen, attempts that were retried included.
type Summary struct {
	Kind      string  `json:"kind"`
	APIServer string  `json:"apiserver"`
	Seconds   float64 `json:"seconds"`
	Requests  int     `json:"requests"`
	// Errors by HTTP status, or "transport" when there was no answer. 404 and 409 are part of ordinary traffic and
	// counted here as well.
	Errors          map[string]int `json:"errors,omitempty"`
	P50Milliseconds float64        `json:"p50Milliseconds"`
	P99Milliseconds float64        `json:"p99Milliseconds"`
}

// recorder measures requests from sending to the last byte of the answer.
type recorder struct {
	mu        sync.Mutex
	durations []time.Duration
	errors    map[string]int
}

// wrap is a rest.Config WrapTransport.
func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		begin := time.Now()
		response, err := next.RoundTrip(request)
		if err != nil {
			// What the end of the load has cut off says nothing about the server.
			if !errors.Is(request.Context().Err(), context.Canceled) && !errors.Is(request.Context().Err(), context.DeadlineExceeded) {
				r.add(time.Since(begin), "transport")
			}
			return nil, err
		}
		failure := ""
		if response.StatusCode >= 400 {
			failure = strconv.Itoa(response.StatusCode)
		}
		response.Body = &measuredBody{ReadCloser: response.Body, done: func() { r.add(time.Since(begin), failure) }}
		return response, nil
	})
}

func (r *recorder) add(d time.Duration, failure string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.durations = append(r.durations, d)
	if failure != "" {
		if r.errors == nil {
			r.errors = map[string]int{}
		}
		r.errors[failure]++
	}
}

func (r *recorder) summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.durations)
	return Summary{
		Requests:        len(r.durations),
		Errors:          r.errors,
		P50Milliseconds: quantile(r.durations, 0.50),
		P99Milliseconds: quantile(r.durations, 0.99),
	}
}

// quantile of sorted durations by nearest rank, in milliseconds; 0 when there are none.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := max(int(math.Ceil(q*float64(len(sorted)))), 1)
	return math.Round(float64(sorted[rank-1].Microseconds())/100) / 10
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// measuredBody calls done once, when the body is closed.
type measuredBody struct {
	io.ReadCloser
	once sync.Once
	done func()
}

// Close implements io.Closer.
func (b *measuredBody) Close() error {
	b.once.Do(b.done)
	return b.ReadCloser.Close()
}
