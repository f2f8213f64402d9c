// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/test/perf/internal/gen"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mustStorage(t *testing.T) *Storage {
	t.Helper()
	s, err := NewStorage(noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *Storage) mustQuery(t *testing.T, expression string, at time.Time) string {
	t.Helper()
	vector, err := s.Query(t.Context(), expression, at)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, sample := range vector {
		values = append(values, fmt.Sprint(sample.F))
	}
	return strings.Join(values, " ")
}

// What was scraped can be asked for, from both formats; what vanishes ends.
func TestScrape(t *testing.T) {
	for format, body := range map[string]func(*gen.Process) []byte{
		gen.TextContentType:  func(p *gen.Process) []byte { return p.AppendText(nil) },
		gen.ProtoContentType: func(p *gen.Process) []byte { return p.AppendProto(nil) },
	} {
		t.Run(format, func(t *testing.T) {
			p, err := gen.New(gen.Config{Combinations: 20, Seed: 1, Now: noon})
			if err != nil {
				t.Fatal(err)
			}
			storage := mustStorage(t)
			loop := NewLoop(storage, Options{Instance: "a", Job: "apiserver"})
			var samples int
			for n := range 3 {
				at := noon.Add(time.Duration(n) * 15 * time.Second)
				p.Advance(at)
				if samples, err = loop.Scrape(t.Context(), body(p), format, at); err != nil {
					t.Fatal(err)
				}
			}
			if want := p.Stats(func(string) bool { return true }).Samples; samples != want || storage.Series() != uint64(want) {
				t.Errorf("%d samples and %d series, want %d", samples, storage.Series(), want)
			}
			at := noon.Add(30 * time.Second)
			if got := storage.mustQuery(t, `count(apiserver_request_sli_duration_seconds_count{instance="a",job="apiserver"})`, at); got != "20" {
				t.Errorf("%q combinations, want 20", got)
			}
			var requests uint64
			for _, truth := range p.Truths() {
				requests += truth.Count()
			}
			if got := storage.mustQuery(t, `sum(apiserver_request_sli_duration_seconds_bucket{le="+Inf"})`, at); got != fmt.Sprint(float64(requests)) {
				t.Errorf("%q requests, want %d", got, requests)
			}
			if _, err := loop.Scrape(t.Context(), nil, format, at.Add(15*time.Second)); err != nil {
				t.Fatal(err)
			}
			if got := storage.mustQuery(t, `count({job="apiserver"})`, at.Add(15*time.Second)); got != "" {
				t.Errorf("%q series after a failed scrape", got)
			}
		})
	}
}

// With Keep, the rest is not stored and its bytes are remembered.
func TestKeep(t *testing.T) {
	p, err := gen.New(gen.Config{Combinations: 5, Seed: 1, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	storage := mustStorage(t)
	loop := NewLoop(storage, Options{Instance: "a", Job: "apiserver", Keep: func(m string) bool { return m == "etcd_requests_total" }})
	for n := range 2 {
		if _, err := loop.Scrape(t.Context(), p.AppendText(nil), gen.TextContentType, noon.Add(time.Duration(n)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := storage.mustQuery(t, `count({job="apiserver"})`, noon.Add(time.Second)), fmt.Sprint(storage.Series()); got != want || got == "0" {
		t.Errorf("%q series, the storage has %s", got, want)
	}
	if len(loop.cache.dropped) < 100 {
		t.Errorf("%d series are remembered as dropped", len(loop.cache.dropped))
	}
}

// Zeros at the time of creation make a birth count in full.
func TestCreated(t *testing.T) {
	for _, created := range []bool{true, false} {
		p, err := gen.New(gen.Config{Combinations: 5, Births: 5, Seed: 2, Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		before := p.Truths()
		storage := mustStorage(t)
		loop := NewLoop(storage, Options{Instance: "a", Job: "apiserver", Created: created})
		last := noon.Add(10 * time.Minute)
		for at := noon; !at.After(last); at = at.Add(15 * time.Second) {
			p.Advance(at)
			if _, err := loop.Scrape(t.Context(), p.AppendProto(nil), gen.ProtoContentType, at); err != nil {
				t.Fatal(err)
			}
		}
		want := 0.0
		for key, truth := range p.Truths() {
			want += float64(truth.Count() - before[key].Count())
		}
		got := storage.mustQuery(t, "sum(increase(apiserver_request_sli_duration_seconds_count[11m] anchored))", last)
		if exact := got == fmt.Sprint(want); exact != created {
			t.Errorf("created %v: %s requests, %v happened", created, got, want)
		}
	}
}

// The queries are those of a dashboard: each has an answer.
func TestQueries(t *testing.T) {
	p, err := gen.New(gen.Config{Combinations: 60, Seed: 1, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	storage := mustStorage(t)
	loop := NewLoop(storage, Options{Instance: "a", Job: "apiserver"})
	last := noon.Add(time.Minute)
	for at := noon; !at.After(last); at = at.Add(15 * time.Second) {
		p.Advance(at)
		if _, err := loop.Scrape(t.Context(), p.AppendProto(nil), gen.ProtoContentType, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range append(ReportQueries(time.Minute), FewQueries(time.Minute)...) {
		// Nobody is ever turned away.
		if got := storage.mustQuery(t, query, last); got == "" && !strings.Contains(query, "rejected") {
			t.Errorf("%s has no result", query)
		}
	}
}
