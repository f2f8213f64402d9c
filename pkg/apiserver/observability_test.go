// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/component-base/metrics"
	testclock "k8s.io/utils/clock/testing"
)

// A server that will never have what it waits for is ready after the grace.
func TestReadinessWaitsForAWhile(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	problem := errors.New("no scrape yet")
	check := newGrace(clock).check("source", func() error { return problem })
	if check.Name() != "source" {
		t.Errorf("the check is called %q", check.Name())
	}
	for _, c := range []struct {
		after   time.Duration
		problem error
		want    bool
	}{
		{0, problem, false},
		{0, nil, true},
		{readinessGrace, problem, false},
		{readinessGrace + time.Millisecond, problem, true},
		{24 * time.Hour, problem, true},
	} {
		problem = c.problem
		clock.SetTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(c.after))
		if err := check.Check(nil); (err == nil) != c.want {
			t.Errorf("after %s with the problem %v: %v", c.after, c.problem, err)
		}
	}
}

func counter(name string) *metrics.Counter {
	return metrics.NewCounter(&metrics.CounterOpts{Name: name, Help: "Help.", StabilityLevel: metrics.ALPHA})
}

func TestMetricsOfTheMachineryAndOurOwn(t *testing.T) {
	machinery := metrics.NewKubeRegistry()
	machinery.MustRegister(counter("apiserver_requests"))
	own := counter("slo_apiserver_things")
	handler, err := metricsHandler(machinery, []metrics.Registerable{own})
	if err != nil {
		t.Fatal(err)
	}
	own.Inc()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"\napiserver_requests 0\n", "\nslo_apiserver_things 1\n"} {
		if !strings.Contains(recorder.Body.String(), want) {
			t.Errorf("no %q in\n%s", want, recorder.Body)
		}
	}
	if _, err := metricsHandler(machinery, []metrics.Registerable{counter("twice"), counter("twice")}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a metric twice: %v", err)
	}
}

// What runs once its needs are there does not run before, and does run at the end.
func TestWhenReady(t *testing.T) {
	problems := 2
	run := whenReady([]need{{"a", func() error {
		if problems--; problems >= 0 {
			return errors.New("not yet")
		}
		return nil
	}}}, func(context.Context) {
		if problems != -1 {
			t.Errorf("ran when the problems were %d", problems)
		}
	})
	run(t.Context())
	ran := false
	ended, end := context.WithCancel(t.Context())
	end()
	whenReady([]need{{"a", func() error { return errors.New("never") }}}, func(context.Context) { ran = true })(ended)
	if !ran {
		t.Error("did not run at the end")
	}
}
