// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"slices"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

// TestBirths adds to an expression what its own selection had born, and nothing else.
func TestBirths(t *testing.T) {
	born := births{
		matchers: []string{`instance="a"`, `resource=~"nodes|pods"`, `verb=~"GET|POST"`},
		sets:     [][]string{{"nodes", "GET"}, {"pods", "POST"}},
	}
	is := func(label string, values ...string) sources.Matcher {
		return sources.Matcher{Label: label, Values: values}
	}
	not := func(label string, values ...string) sources.Matcher {
		return sources.Matcher{Label: label, Values: values, Not: true}
	}
	for name, test := range map[string]struct {
		selection sources.Selection
		touched   bool
		matchers  []string
	}{
		"all":                          {nil, true, born.matchers},
		"a key that was born":          {sources.Selection{is("resource", "pods"), is("verb", "POST")}, true, born.matchers[:1]},
		"a key of which only parts":    {sources.Selection{is("resource", "pods"), is("verb", "GET")}, false, born.matchers[:1]},
		"several":                      {sources.Selection{is("resource", "pods", "secrets")}, true, born.matchers},
		"others":                       {sources.Selection{is("resource", "secrets", "leases")}, false, born.matchers},
		"all but one":                  {sources.Selection{not("resource", "pods")}, true, born.matchers},
		"all but what was born":        {sources.Selection{not("resource", "pods", "nodes")}, false, born.matchers},
		"by a pattern":                 {sources.Selection{{Label: "resource", Patterns: []string{"x.*"}}}, true, born.matchers},
		"a bucket":                     {sources.Selection{is("verb", "GET"), sources.Bound(0.5)}, true, born.matchers[:2]},
		"an instance, which is no key": {sources.Selection{is("instance", "b")}, true, born.matchers},
	} {
		matchers, touched := born.of([]string{"resource", "verb"}, test.selection)
		if touched != test.touched || !slices.Equal(matchers, test.matchers) {
			t.Errorf("%s: %q, %t; want %q, %t", name, matchers, touched, test.matchers, test.touched)
		}
	}
	if matchers, touched := (births{}).of(nil, nil); touched || len(matchers) > 0 {
		t.Errorf("without births: %q, %t", matchers, touched)
	}
}
