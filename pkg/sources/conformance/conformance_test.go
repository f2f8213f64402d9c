// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

const small = `# Why.
window 120s
scrape -120s every 60s
signal requests counter kube-apiserver requests_total by code
signal seats gauge kube-apiserver seats per-instance samples
instance kube-apiserver a
started -24h
requests_total{code="200"} 1+2x2
seats 5 7.5 6
expect instance kube-apiserver a observed complete
expect requests{code="200"} increase=4
expect seats{} instance=a last=6 samples=-60s:7.5,0s:6
`

func TestParseRejects(t *testing.T) {
	for _, test := range []struct{ name, old, replacement, want string }{
		{"no reason", "# Why.", "#", "does not say why"},
		{"no window", "window 120s", "", "no window"},
		{"crooked step", "every 60s", "every 50s", "not a multiple"},
		{"unknown kind", "counter", "summary", `unknown kind "summary"`},
		{"unknown part", "by code", "of code", `unknown part "of"`},
		{"too few values", "1+2x2", "1+2x1", "2 values for 3 scrapes"},
		{"no number", "1+2x2", "1 2 three", `"three"`},
		{"unknown signal", "expect requests{", "expect responses{", `no signal is named "responses"`},
		{"samples of a counter", "by code", "by code per-instance samples", "only a gauge per-instance has samples"},
		{"samples over instances", "seats per-instance", "seats", "only a gauge per-instance has samples"},
		{"samples not asked for", "per-instance samples", "per-instance", "is of no series of a signal with samples"},
		{"samples of a signal", "seats{} instance=a", "seats", "is of no series of a signal with samples"},
		{"sample without a time", "-60s:7.5", "7.5", `sample "7.5"`},
		{"sample without a value", "-60s:7.5", "-60s", `sample "-60s"`},
		{"nothing expected", `expect requests{code="200"} increase=4`, "", "nothing is expected of signal requests"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("small", strings.Replace(small, test.old, test.replacement, 1))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestCompareSees spoils a good reading in every way the suite has to notice.
func TestCompareSees(t *testing.T) {
	scenario, err := Parse("small", small)
	if err != nil {
		t.Fatal(err)
	}
	spoil := map[string]func(*sources.Reading){
		"":                      func(*sources.Reading) {},
		"increase=4: got 5":     func(r *sources.Reading) { r.Results["requests"].Series[0].Increase = 5 },
		"is not in the reading": func(r *sources.Reading) { r.Instances[0].Name = "b" },
		"is not observed":       func(r *sources.Reading) { r.Instances[0].Observed = false },
		"is not complete":       func(r *sources.Reading) { r.Instances[0].First = r.At.Add(-59 * time.Second) },
		"has no result":         func(r *sources.Reading) { clear(r.Results) },
		"the reading is of":     func(r *sources.Reading) { r.Window = time.Minute },
		"was not expected":      func(r *sources.Reading) { r.Instances = append(r.Instances, sources.Instance{Name: "z"}) },
		"has samples, which nobody asked for": func(r *sources.Reading) {
			r.Results["requests"].Series[0].Samples = []sources.Sample{}
		},
		"are not sorted": func(r *sources.Reading) {
			r.Results["requests"] = sources.Result{Series: slices.Repeat(r.Results["requests"].Series, 2)}
		},
	}
	spoilEvidence(spoil)
	const samples = "samples=-60s:7.5,0s:6: got "
	seats := func(got string, change func([]sources.Sample) []sources.Sample) {
		spoil[samples+got] = func(r *sources.Reading) {
			series := r.Results["seats"].Series
			series[0].Samples = change(series[0].Samples)
		}
	}
	seats("none", func([]sources.Sample) []sources.Sample { return nil })
	seats("0s:6", func(s []sources.Sample) []sources.Sample { return s[1:] })
	seats("0s:6,-60s:7.5", func(s []sources.Sample) []sources.Sample { return []sources.Sample{s[1], s[0]} })
	seats("-60s:7.5,0s:6,0s:6", func(s []sources.Sample) []sources.Sample { return append(s, s[1]) })
	seats("-60s:7,0s:6", func(s []sources.Sample) []sources.Sample {
		s[0].Value = 7
		return s
	})
	seats("-59.999s:7.5,0s:6", func(s []sources.Sample) []sources.Sample {
		s[0].Time = s[0].Time.Add(time.Millisecond)
		return s
	})
	for _, want := range slices.Sorted(maps.Keys(spoil)) {
		reading, _ := reference{scenario}.Read(context.Background(), scenario.At, scenario.Window)
		spoil[want](reading)
		got := strings.Join(Compare(scenario, reading), "\n")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("want %q, got:\n%s", want, got)
		}
	}
}

// spoilEvidence of a source that scrapes, and of one that it is made to look like, which
// was asked.
func spoilEvidence(spoil map[string]func(*sources.Reading)) {
	result := func(name string, change func(*sources.Result)) func(*sources.Reading) {
		return func(r *sources.Reading) {
			result := r.Results[name]
			change(&result)
			r.Results[name] = result
		}
	}
	queries := func(all ...sources.Query) func(*sources.Reading) {
		return func(r *sources.Reading) {
			r.Origin = sources.Origin{Kind: sources.Queried, Address: "http://prometheus.example"}
			result("requests", func(result *sources.Result) { result.Queries = all })(r)
		}
	}
	good := sources.Query{Role: sources.RoleIncrease, PromQL: "increase(requests_total[120s])"}
	canonical := func(metric string) func(*sources.Result) {
		return func(r *sources.Result) { r.Expressions = sources.Canonical{Metrics: []string{metric}} }
	}
	maps.Copy(spoil, map[string]func(*sources.Reading){
		"was scraped, and has no URL": func(r *sources.Reading) { r.Instances[0].URL = "" },
		`the origin "" is of no kind`: func(r *sources.Reading) { r.Origin = sources.Origin{} },
		"has no address":              func(r *sources.Reading) { r.Origin.Kind = sources.Queried },
		"signal requests has 1 queries, and its origin is Scrape": result("requests", func(r *sources.Result) {
			r.Queries = []sources.Query{good}
		}),
		"signal requests has 0 queries, and its origin is Prometheus": queries(),
		"is out of order":                                 queries(sources.Query{Role: sources.RoleSum, PromQL: good.PromQL}, good),
		`role "Guess" is out of order`:                    queries(good, sources.Query{Role: "Guess", PromQL: good.PromQL}),
		`"up" asks for none of its metrics`:               queries(sources.Query{Role: sources.RoleIncrease, PromQL: "up"}),
		"signal seats has series, and no expressions":     result("seats", func(r *sources.Result) { r.Expressions = nil }),
		"signal seats: its expressions do not read seats": result("seats", canonical("chairs")),
		"requests: its expressions do not read":           result("requests", canonical("answers_total")),
		`its expressions do not select code="a"`:          result("requests", func(r *sources.Result) { r.Expressions = deaf{} }),
	})
}

// deaf expressions select nothing.
type deaf struct{}

func (deaf) Increase([]string, ...sources.Selection) string { return "requests_total" }
func (deaf) Sum([]string, ...sources.Selection) string      { return "latency_sum" }
func (deaf) Newest([]string, ...sources.Selection) string   { return "seats" }

func TestBody(t *testing.T) {
	scenario, err := Parse("small", small)
	if err != nil {
		t.Fatal(err)
	}
	want := `# HELP process_start_time_seconds Of a scenario.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.77228e+09
# HELP requests_total Of a scenario.
# TYPE requests_total counter
requests_total{code="200"} 5
# HELP seats Of a scenario.
# TYPE seats gauge
seats 6
`
	if got := scenario.Instances[0].Scrapes[2].Body(); got != want {
		t.Errorf("got body:\n%s\nwant:\n%s", got, want)
	}
}
