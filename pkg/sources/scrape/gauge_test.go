// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/sources"
)

var sampledSeats = sources.Signal{
	Name: "seats", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"seats"},
	PerInstance: true, Samples: true,
}

// Two kube-apiservers behind a load balancer have a trend each: in turn, their values
// would go up and down by 100.
func TestSamplesOfSharedAddress(t *testing.T) {
	s := newScript(t, nil, sampledSeats)
	for minute := range 7 {
		started, seats := 48*time.Hour, 100+minute
		if minute%2 == 1 {
			started, seats = 24*time.Hour, minute
		}
		s.page(sources.KubeAPIServer, "lb:443").set(body(started, fmt.Sprintf("seats %d", seats)))
		s.collect()
	}
	got := map[string][]float64{}
	for _, series := range s.read(4 * time.Minute).Results["seats"].Series {
		for _, sample := range series.Samples {
			if minute := sample.Time.Sub(noon).Minutes() - 1; minute != float64(int(sample.Value)%100) {
				t.Errorf("%s: the value %v is dated minute %v", series.Instance, sample.Value, minute)
			}
			got[series.Instance] = append(got[series.Instance], sample.Value)
		}
	}
	want := map[string][]float64{
		fmt.Sprintf("lb:443#%d", noon.Add(-48*time.Hour).Unix()): {104, 106},
		fmt.Sprintf("lb:443#%d", noon.Add(-24*time.Hour).Unix()): {3, 5},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A reading belongs to its caller: scrapes that follow do not change its samples, even
// as the store lets go of theirs.
func TestSamplesStay(t *testing.T) {
	s := newScript(t, func(c *Config) { c.History = 3 * time.Minute }, sampledSeats)
	page := s.page(sources.KubeAPIServer, "a")
	minute := func(n int) {
		page.set(body(time.Hour, fmt.Sprintf("seats %d", n)))
		s.collect()
	}
	for n := range 4 {
		minute(n)
	}
	samples := func(r *sources.Reading) []sources.Sample { return r.Results["seats"].Series[0].Samples }
	reading, again := s.read(3*time.Minute), s.read(3*time.Minute)
	for n := range 10 {
		minute(100 + n)
	}
	if diff := cmp.Diff(samples(again), samples(reading)); diff != "" || len(samples(reading)) != 3 {
		t.Errorf("got %v, %s", samples(reading), diff)
	}
	for i, sample := range samples(reading) {
		if want := noon.Add(time.Duration(i+2) * time.Minute); !sample.Time.Equal(want) || sample.Value != float64(i+1) {
			t.Errorf("sample %d is %v, want %d at %s", i, sample, i+1, want)
		}
	}
}
