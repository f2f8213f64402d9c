// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/sources"
)

// evidence wants what figures can be repeated from: the targets of a source that
// scrapes, the queries of one that asks, and expressions of either for every signal
// that has series. What the expressions give only a Prometheus can tell.
func (c *comparison) evidence() {
	switch origin := c.reading.Origin; origin.Kind {
	case sources.Scraped:
		for _, i := range c.reading.Instances {
			if i.Observed && i.URL == "" {
				c.differ(0, "instance %s was scraped, and has no URL", i.Name)
			}
		}
	case sources.Queried:
		if origin.Address == "" {
			c.differ(0, "the origin %s has no address", origin.Kind)
		}
	default:
		c.differ(0, "the origin %q is of no kind", origin.Kind)
	}
	for _, signal := range c.scenario.Signals {
		if result := c.reading.Results[signal.Name]; len(result.Series) > 0 {
			c.queries(signal, result)
			c.expressions(signal, result)
		}
	}
}

func (c *comparison) queries(signal sources.Signal, result sources.Result) {
	if asked := c.reading.Origin.Kind == sources.Queried; asked != (len(result.Queries) > 0) {
		c.differ(0, "signal %s has %d queries, and its origin is %s", signal.Name, len(result.Queries), c.reading.Origin.Kind)
	}
	before := 0
	for _, query := range result.Queries {
		role := slices.Index(sources.Roles(), query.Role)
		if role < before {
			c.differ(0, "signal %s: a query of the role %q is out of order", signal.Name, query.Role)
		}
		before = max(before, role)
		if !slices.ContainsFunc(signal.Metrics, func(metric string) bool { return strings.Contains(query.PromQL, metric) }) {
			c.differ(0, "signal %s: %q asks for none of its metrics", signal.Name, query.PromQL)
		}
	}
}

func (c *comparison) expressions(signal sources.Signal, result sources.Result) {
	if result.Expressions == nil {
		c.differ(0, "signal %s has series, and no expressions", signal.Name)
		return
	}
	switch again := result.Expressions; signal.Kind {
	case sources.Gauge:
		c.renders(signal, result, again.Newest)
	case sources.Counter:
		c.renders(signal, result, again.Increase)
	case sources.Histogram:
		c.renders(signal, result, again.Increase)
		c.renders(signal, result, again.Sum)
	}
}

// render is a method of sources.Expressions.
type render func(by []string, selections ...sources.Selection) string

func (c *comparison) renders(signal sources.Signal, result sources.Result, render render) {
	all := render(signal.Labels)
	for _, metric := range result.Metrics {
		if !strings.Contains(all, metric) {
			c.differ(0, "signal %s: its expressions do not read %s: %s", signal.Name, metric, all)
		}
	}
	for _, label := range signal.Labels {
		m := sources.Matcher{Label: label, Values: []string{"a"}}
		if one := render(signal.Labels, sources.Selection{m}); !strings.Contains(one, m.String()) {
			c.differ(0, "signal %s: its expressions do not select %s: %s", signal.Name, m, one)
		}
	}
}
