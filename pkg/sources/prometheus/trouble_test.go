// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/conformance"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

func troubleScenario(t *testing.T, i int) conformance.Scenario {
	t.Helper()
	scenario, err := conformance.Parse(trouble[i].name, trouble[i].text)
	if err != nil {
		t.Fatal(err)
	}
	return scenario
}

func troubleSamples(t *testing.T) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i := range trouble {
		for _, job := range trouble[i].jobs {
			own := scraped(troubleScenario(t, i), job)
			if trouble[i].change != nil {
				own = trouble[i].change(own)
			}
			samples = append(samples, own...)
		}
	}
	return samples
}

func testTrouble(t *testing.T, b backend) {
	for i, test := range trouble {
		t.Run(test.name, func(t *testing.T) {
			scenario := troubleScenario(t, i)
			reading := b.compare(t, scenario, open(t, b, scenario))
			warned := ""
			all := reading.Warnings
			for _, result := range reading.Results {
				all = append(all, result.Warnings...)
			}
			for _, w := range all {
				warned += string(w.Reason) + ": " + w.Message + "\n"
			}
			if !strings.Contains(warned, test.warning) || (warned == "") != (test.warning == "") {
				t.Errorf("got warnings %q, want one that has %q", all, test.warning)
			}
		})
	}
}

// recorder keeps the queries that were sent, and how many were under way at once.
type recorder struct {
	next http.RoundTripper

	mu              sync.Mutex
	queries         []string
	underWay, atMax int
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	form := make([]byte, request.ContentLength)
	_, _ = body.Read(form)
	r.mu.Lock()
	r.queries = append(r.queries, string(form))
	r.underWay++
	r.atMax = max(r.atMax, r.underWay)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.underWay--
		r.mu.Unlock()
	}()
	return r.next.RoundTrip(request)
}

// testQueries counts the queries of a Read: the plan is found once.
func testQueries(t *testing.T, b backend) {
	r := &recorder{}
	opened := func(scenario conformance.Scenario) sources.Source {
		return openWith(t, b, prometheus.ClientConfig{URL: b.url, Wrap: func(next http.RoundTripper) http.RoundTripper {
			r.next = next
			return r
		}}, scenario)
	}
	// One for the dialect and two for the instances, two for each of two gauges, and one
	// more for samples.
	scenario := scenarioNamed(t, "samples-ramp")
	if _, err := opened(scenario).Read(context.Background(), scenario.At, scenario.Window); err != nil {
		t.Fatal(err)
	}
	if want := 1 + 2 + 4 + 1; len(r.queries) != want {
		t.Errorf("%d queries were sent for two gauges and the samples of one, want %d:\n%s", len(r.queries), want, strings.Join(r.queries, "\n"))
	}
	scenario = scenarioNamed(t, "two-versions")
	source := opened(scenario)
	// Two for the instances; two each for two gauges, three each for two histograms.
	for i, want := range []int{1 + 2 + 2 + 4 + 6, 2 + 4 + 6} {
		r.queries = nil
		if _, err := source.Read(context.Background(), scenario.At, scenario.Window); err != nil {
			t.Fatal(err)
		}
		if len(r.queries) != want {
			t.Errorf("read %d sent %d queries, want %d:\n%s", i, len(r.queries), want, strings.Join(r.queries, "\n"))
		}
	}
	if r.atMax > 4 {
		t.Errorf("%d queries were under way at once, want at most 4", r.atMax)
	}
	// Twenty minutes before, the instances may have had other metrics.
	r.queries = nil
	if _, err := source.Read(context.Background(), scenario.At.Add(-20*time.Minute), scenario.Window); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.queries, func(q string) bool { return strings.Contains(q, "group+by") }) {
		t.Errorf("the plan of another time was used: %q", r.queries)
	}
}

func testConcurrent(t *testing.T, b backend) {
	scenario := scenarioNamed(t, "steady")
	source := open(t, b, scenario)
	readings := make([]*sources.Reading, 8)
	var wg sync.WaitGroup
	for i := range readings {
		wg.Go(func() { readings[i], _ = source.Read(context.Background(), scenario.At, scenario.Window) })
	}
	wg.Wait()
	for _, reading := range readings[1:] {
		if diff := cmp.Diff(readings[0], reading); diff != "" || reading == nil {
			t.Fatalf("two readings of one instant differ: %s", diff)
		}
	}
}

func scenarioNamed(t *testing.T, name string) conformance.Scenario {
	t.Helper()
	all := conformance.Scenarios(t)
	i := slices.IndexFunc(all, func(s conformance.Scenario) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no scenario %s", name)
	}
	return all[i]
}
