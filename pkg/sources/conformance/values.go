// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// absent marks a scrape that does not have the series: a NaN that no exposition
// can spell, so that NaN stays a value.
var absent = math.Float64frombits(0x7ff8_0000_0000_ab5e)

func isAbsent(v float64) bool {
	return math.Float64bits(v) == math.Float64bits(absent)
}

// values expands the compact notation, one value per scrape.
func (p *parser) values(fields []string) ([]float64, error) {
	var values []float64
	for _, field := range fields {
		expanded, err := expand(field)
		if err != nil {
			return nil, err
		}
		values = append(values, expanded...)
	}
	if len(values) != len(p.times) {
		return nil, fmt.Errorf("%d values for %d scrapes", len(values), len(p.times))
	}
	return values, nil
}

// expand reads one token: 5, _, _x3, 7x3, 10+5x3 or 10-5x3.
func expand(field string) ([]float64, error) {
	token, times, repeated := strings.Cut(field, "x")
	n := 0
	if repeated {
		var err error
		if n, err = strconv.Atoi(times); err != nil || n < 0 || n > 1000 {
			return nil, fmt.Errorf("%q does not repeat 0 to 1000 times", field)
		}
	}
	if token == "_" {
		return slices.Repeat([]float64{absent}, max(n, 1)), nil
	}
	step := 0.0
	if i := strings.LastIndexAny(token, "+-"); repeated && i > 0 {
		var err error
		if step, err = strconv.ParseFloat(token[i:], 64); err != nil {
			return nil, fmt.Errorf("%q: %w", field, err)
		}
		token = token[:i]
	}
	first, err := strconv.ParseFloat(token, 64)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", field, err)
	}
	values := []float64{first}
	for i := 1; i <= n; i++ {
		values = append(values, first+float64(i)*step)
	}
	return values, nil
}

// cut turns the series of an instance into what each scrape answered. The
// instance begins with its first scrape that has anything or fails.
func (text *instanceText) cut(times []time.Time, signals []sources.Signal) Instance {
	instance := text.instance
	series := text.series
	if text.started != nil {
		series = append([]seriesText{{name: startTime, values: text.started}}, series...)
	}
	slices.SortStableFunc(series, func(a, b seriesText) int {
		familyA, _ := family(a.name, signals)
		familyB, _ := family(b.name, signals)
		return strings.Compare(familyA, familyB)
	})
	for i, at := range times {
		scrape := Scrape{Time: at, Failed: text.up != nil && text.up[i] == 0}
		for _, s := range series {
			if !scrape.Failed && !isAbsent(s.values[i]) {
				name, kind := family(s.name, signals)
				scrape.Samples = append(scrape.Samples, Sample{Series: s.name, Value: s.values[i], Family: name, Type: kind})
			}
		}
		if scrape.Failed || len(scrape.Samples) > 0 || len(instance.Scrapes) > 0 {
			instance.Scrapes = append(instance.Scrapes, scrape)
		}
	}
	return instance
}

// rulesOf reads rules with commas between them.
func rulesOf(field string) ([]sources.Rule, bool) {
	var rules []sources.Rule
	for name := range strings.SplitSeq(field, ",") {
		rule := sources.Rule(name)
		if rule != sources.Exact && rule != sources.Extrapolated && rule != sources.BetweenSamples {
			return nil, false
		}
		rules = append(rules, rule)
	}
	return rules, true
}

// expect reads an expectation.
func (p *parser) expect(fields []string) error {
	e := expectation{line: p.line}
	if len(fields) > 0 {
		if rules, are := rulesOf(fields[0]); are {
			e.rules, fields = rules, fields[1:]
		}
	}
	switch {
	case len(fields) >= 4 && fields[0] == "instance":
		e.component, e.instance, e.properties = sources.Component(fields[1]), fields[2], fields[3:]
	case len(fields) >= 2:
		name, labels, series := strings.Cut(fields[0], "{")
		e.signal, e.properties = name, fields[1:]
		if series {
			e.series = "{" + labels
		}
	default:
		return fmt.Errorf("an expectation needs a subject and properties")
	}
	if e.signal != "" && !slices.ContainsFunc(p.scenario.Signals, func(s sources.Signal) bool { return s.Name == e.signal }) {
		return fmt.Errorf("no signal is named %q", e.signal)
	}
	if err := p.checkSamples(e); err != nil {
		return err
	}
	p.scenario.expected = append(p.scenario.expected, e)
	return nil
}
