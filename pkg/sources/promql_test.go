// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"math"
	"testing"
	"time"
)

func TestMatcher(t *testing.T) {
	for want, m := range map[string]Matcher{
		`a="x"`:                      {Label: "a", Values: []string{"x"}},
		`a=""`:                       {Label: "a", Values: []string{""}},
		`a!="x"`:                     {Label: "a", Values: []string{"x"}, Not: true},
		`a="x.y|z"`:                  {Label: "a", Values: []string{"x.y|z"}}, // no pattern: nothing to escape
		`a=~"x|y"`:                   {Label: "a", Values: []string{"x", "y"}},
		`a!~"x|y"`:                   {Label: "a", Values: []string{"x", "y"}, Not: true},
		`a=~"|x"`:                    {Label: "a", Values: []string{"", "x"}}, // absent, too
		`a=~"5[0-9]"`:                {Label: "a", Patterns: []string{"5[0-9]"}},
		`a=~"x\\.\\*|\\(\\||5[0-9]"`: {Label: "a", Values: []string{"x.*", "(|"}, Patterns: []string{"5[0-9]"}},
		// What would end the string, or the selector.
		`a="\"} or vector(1) #"`: {Label: "a", Values: []string{`"} or vector(1) #`}},
		`a="\\\" \n"`:            {Label: "a", Values: []string{"\\\" \n"}},
		`a=~"\"\\}|\\\\\"|\n"`:   {Label: "a", Values: []string{`"}`, `\"`, "\n"}},
		`le="+Inf"`:              Bound(math.Inf(+1)),
		`le=~"1|1\\.0"`:          Bound(1),
		`le=~"30|30\\.0"`:        Bound(30),
		`le="0.005"`:             Bound(0.005),
		`le="1e-09"`:             Bound(1e-9),
	} {
		if got := m.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestCanonical wants the very text: it is what users of the embedded source paste.
func TestCanonical(t *testing.T) {
	counter := Signal{Kind: Counter, Labels: []string{"code"}}
	histogram := Signal{Kind: Histogram, Labels: []string{"verb"}, Match: map[string][]string{"scope": {"cluster", "namespace"}, "component": {`a"b`}}}
	gauge := Signal{Kind: Gauge, Labels: []string{"level"}, PerInstance: true}
	verb := func(values ...string) Selection { return Selection{{Label: "verb", Values: values}} }
	for name, test := range map[string]struct{ got, want string }{
		"counter": {
			Canonical{counter, []string{"m_total"}, 5 * time.Minute}.Increase([]string{"code"}),
			`sum by (code) (increase(m_total{}[300s]))`,
		},
		"all in one": {
			Canonical{counter, []string{"m_total"}, 1500 * time.Millisecond}.Increase(nil),
			`sum by () (increase(m_total{}[1500ms]))`,
		},
		"declared matches are sorted and quoted": {
			Canonical{histogram, []string{"m"}, time.Minute}.Increase([]string{"le"}),
			`sum by (le) (increase(m_bucket{component="a\"b",scope=~"cluster|namespace"}[60s]))`,
		},
		"selections exclude each other": {
			Canonical{counter, []string{"m_total"}, time.Minute}.Increase([]string{"verb"}, verb("GET"), verb("PUT", "POST")),
			`sum by (verb) (increase(m_total{verb="GET"}[60s]) or increase(m_total{verb=~"PUT|POST"}[60s]))`,
		},
		"an instance has the first of several metrics": {
			Canonical{counter, []string{"new", "old"}, time.Minute}.Increase([]string{"code"}, verb("GET")),
			`sum by (code) ((increase(new{verb="GET"}[60s])) or on (instance) (increase(old{verb="GET"}[60s])))`,
		},
		"several metrics and selections": {
			Canonical{histogram, []string{"new", "old"}, time.Minute}.Increase([]string{"verb"}, append(verb("GET"), Bound(1)), append(verb("PUT"), Bound(1))),
			`sum by (verb) (` +
				`(increase(new_bucket{component="a\"b",scope=~"cluster|namespace",verb="GET",le=~"1|1\\.0"}[60s]) or ` +
				`increase(new_bucket{component="a\"b",scope=~"cluster|namespace",verb="PUT",le=~"1|1\\.0"}[60s])) or on (instance) ` +
				`(increase(old_bucket{component="a\"b",scope=~"cluster|namespace",verb="GET",le=~"1|1\\.0"}[60s]) or ` +
				`increase(old_bucket{component="a\"b",scope=~"cluster|namespace",verb="PUT",le=~"1|1\\.0"}[60s])))`,
		},
		"sum of a histogram": {
			Canonical{histogram, []string{"new", "old"}, time.Minute}.Sum([]string{"verb"}, verb("GET")),
			`sum by (verb) ((increase(new_sum{component="a\"b",scope=~"cluster|namespace",verb="GET"}[60s])) or on (instance) ` +
				`(increase(old_sum{component="a\"b",scope=~"cluster|namespace",verb="GET"}[60s])))`,
		},
		"gauge": {
			Canonical{gauge, []string{"seats"}, time.Minute}.Newest([]string{"instance"}, Selection{{Label: "level", Values: []string{"a\nb"}}}),
			`sum by (instance) (seats{level="a\nb"})`,
		},
		"gauges of several versions": {
			Canonical{gauge, []string{"seats", "in_use"}, time.Minute}.Newest([]string{"instance", "level"}),
			`sum by (instance,level) ((seats{}) or on (instance) (in_use{}))`,
		},
	} {
		if test.got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, test.got, test.want)
		}
	}
}
