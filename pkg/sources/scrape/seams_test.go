// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"slices"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// A kube-apiserver that is listed by two names is counted twice: it is said so.
func TestTwoNamesOfOneProcess(t *testing.T) {
	s := newScript(t, nil, requests)
	for _, name := range []string{"10.0.0.1:6443", "cp.example.io:6443"} {
		s.page(sources.KubeAPIServer, name).set(body(time.Hour, `requests_total{verb="GET"} 1`))
	}
	s.collect()
	wantWarning(t, s.read(5*time.Minute).Warnings, "10.0.0.1:6443 and cp.example.io:6443 started at the same moment")
}

// A family with native buckets alone is not there: the next name is read, and
// where there is none the instance is named.
func TestNativeBucketsAreNoMetric(t *testing.T) {
	latency := sources.Signal{
		Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram,
		Metrics: []string{"sli_seconds", "request_seconds"}, Everywhere: true,
	}
	const native = "# TYPE sli_seconds histogram\nsli_seconds_bucket{le=\"+Inf\"} 3\nsli_seconds_sum 1\nsli_seconds_count 3"
	const classic = "# TYPE request_seconds histogram\nrequest_seconds_bucket{le=\"1\"} 3\nrequest_seconds_bucket{le=\"+Inf\"} 3\nrequest_seconds_sum 1\nrequest_seconds_count 3"
	s := newScript(t, nil, latency)
	s.page(sources.KubeAPIServer, "a").set(body(time.Hour, native, classic))
	s.page(sources.KubeAPIServer, "b").set(body(2*time.Hour, native))
	s.collect()
	got := s.read(5 * time.Minute).Results["latency"]
	if !slices.Equal(got.Metrics, []string{"request_seconds"}) || !slices.Equal(got.Missing, []string{"b"}) {
		t.Errorf("read from %q, missing from %q", got.Metrics, got.Missing)
	}
}

// An upgrade renames a gauge: the peak of the old process is under its old name.
func TestPeakBeforeAnUpgrade(t *testing.T) {
	renamed := seats
	renamed.Metrics = []string{"seats", "old_seats"}
	s := newScript(t, nil, renamed)
	s.page(sources.KubeAPIServer, "a").set(body(time.Hour, `old_seats{level="x"} 40`, `old_seats{level="y"} 2`))
	s.collect()
	s.collect()
	s.page(sources.KubeAPIServer, "a").set(body(-130*time.Second, `seats{level="x"} 1`, `seats{level="y"} 1`))
	s.collect()
	got := s.read(5 * time.Minute).Results["seats"].Series
	if len(got) != 1 || got[0].Last != 2 || got[0].Max != 42 {
		t.Errorf("got %+v, want 2 now and 42 at the peak", got)
	}
}

// What a target that is no longer found lacks is nobody's problem.
func TestGoneIsNotMissing(t *testing.T) {
	everywhere := requests
	everywhere.Everywhere = true
	s := newScript(t, nil, everywhere)
	s.page(sources.KubeAPIServer, "a").set(body(time.Hour, `requests_total{verb="GET"} 1`))
	s.page(sources.KubeAPIServer, "b").set(body(2 * time.Hour))
	s.collect()
	if got := s.read(5 * time.Minute).Results["requests"].Missing; !slices.Equal(got, []string{"b"}) {
		t.Errorf("missing from %q", got)
	}
	s.remove(sources.KubeAPIServer, "b")
	s.collect()
	if got := s.read(5 * time.Minute).Results["requests"].Missing; len(got) > 0 {
		t.Errorf("missing from %q, which is gone", got)
	}
}
