// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// end is when the window of every scenario ends: a fixed time, so that a failure
// looks the same on every run.
var end = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// startTime is the family by which a process says when it started.
const startTime = "process_start_time_seconds"

// Parse reads a scenario. Its first line, after '#', says why it exists. Then, in
// this order, one directive a line ('#' starts a comment):
//
//	window 300s
//	scrape -360s every 60s             # the first scrape and the step; the last is at 0s
//	signal NAME histogram|counter|gauge COMPONENT METRIC[,METRIC] [by LABEL,LABEL]
//	    [where LABEL=VALUE|VALUE]... [per-instance] [samples] [everywhere]
//	instance COMPONENT NAME            # or: stranger COMPONENT NAME
//	started -24h [from -120s]          # process start, exposed from that scrape on
//	up 1 1 0 1                         # scrapes that fail; without it none does
//	METRIC{LABEL="VALUE"} VALUES       # one value per scrape
//	expect [Exact|Extrapolated] instance COMPONENT NAME PROPERTIES
//	expect [Exact|Extrapolated] SIGNAL[{LABEL="VALUE"}] PROPERTIES
//
// Times are offsets from the end of the window. VALUES are numbers, "_" for no
// sample, and as in promtool "10+5x3" for 10 15 20 25, "7x3" for 7 7 7 7 and
// "_x3" for _ _ _. Properties are described at Compare.
func Parse(name, text string) (Scenario, error) {
	p := parser{scenario: Scenario{Name: name, At: end, Tolerance: 1e-9}}
	for i, line := range strings.Split(text, "\n") {
		p.line = i + 1
		if i == 0 {
			p.scenario.Why = strings.TrimSpace(strings.TrimPrefix(line, "#"))
			continue
		}
		if i := strings.Index(line, "#"); i >= 0 {
			line = line[:i]
		}
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := p.directive(fields); err != nil {
			return Scenario{}, fmt.Errorf("scenario %s, line %d: %w", name, p.line, err)
		}
	}
	if err := p.finish(); err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %w", name, err)
	}
	return p.scenario, nil
}

// parser holds the scenario as far as it was read.
type parser struct {
	scenario Scenario
	line     int
	times    []time.Time
	current  *instanceText
	texts    []*instanceText
}

// instanceText is an instance as written: series by series.
type instanceText struct {
	instance Instance
	up       []float64
	started  []float64
	series   []seriesText
}

type seriesText struct {
	name   string
	values []float64
}

func (p *parser) directive(fields []string) error {
	switch fields[0] {
	case "window":
		return p.window(fields[1:])
	case "scrape":
		return p.scrape(fields[1:])
	case "signal":
		return p.signal(fields[1:])
	case "instance", "stranger":
		return p.instance(fields[1:], fields[0] == "stranger")
	case "expect":
		return p.expect(fields[1:])
	}
	if p.current == nil {
		return fmt.Errorf("unknown directive %q", fields[0])
	}
	switch fields[0] {
	case "started":
		return p.started(fields[1:])
	case "up":
		values, err := p.values(fields[1:])
		p.current.up = values
		return err
	}
	values, err := p.values(fields[1:])
	p.current.series = append(p.current.series, seriesText{name: fields[0], values: values})
	return err
}

func (p *parser) window(fields []string) error {
	if len(fields) != 1 {
		return errors.New("window needs one duration")
	}
	var err error
	p.scenario.Window, err = time.ParseDuration(fields[0])
	return err
}

func (p *parser) scrape(fields []string) error {
	if len(fields) != 3 || fields[1] != "every" {
		return errors.New(`scrape reads "scrape -360s every 60s"`)
	}
	from, err := time.ParseDuration(fields[0])
	if err != nil {
		return err
	}
	step, err := time.ParseDuration(fields[2])
	if err != nil {
		return err
	}
	if step <= 0 || from > 0 || from%step != 0 {
		return fmt.Errorf("the first scrape %s is not a multiple of the step %s before the end", from, step)
	}
	p.scenario.Step = step
	for offset := from; offset <= 0; offset += step {
		p.times = append(p.times, end.Add(offset))
	}
	return nil
}

func (p *parser) instance(fields []string, stranger bool) error {
	if len(fields) != 2 || len(p.times) == 0 {
		return errors.New("an instance needs a component and a name, after scrape")
	}
	p.current = &instanceText{instance: Instance{
		Component: sources.Component(fields[0]), Name: fields[1], Stranger: stranger,
	}}
	p.texts = append(p.texts, p.current)
	return nil
}

func (p *parser) started(fields []string) error {
	start, err := time.ParseDuration(fields[0])
	if err != nil {
		return err
	}
	from := p.times[0]
	if len(fields) == 3 && fields[1] == "from" {
		offset, err := time.ParseDuration(fields[2])
		if err != nil {
			return err
		}
		from = end.Add(offset)
	} else if len(fields) != 1 {
		return errors.New(`started reads "started -24h" or "started -150s from -120s"`)
	}
	if p.current.started == nil {
		p.current.started = slices.Repeat([]float64{absent}, len(p.times))
	}
	for i, at := range p.times {
		if !at.Before(from) {
			p.current.started[i] = seconds(end.Add(start))
		}
	}
	return nil
}

func seconds(t time.Time) float64 {
	return float64(t.UnixNano()) / 1e9
}

// finish checks what only the whole file shows, and cuts the series into scrapes.
func (p *parser) finish() error {
	switch {
	case p.scenario.Why == "":
		return errors.New("the first line does not say why it exists")
	case p.scenario.Window <= 0:
		return errors.New("no window")
	case len(p.scenario.Signals) == 0:
		return errors.New("no signal")
	}
	for _, text := range p.texts {
		p.scenario.Instances = append(p.scenario.Instances, text.cut(p.times, p.scenario.Signals))
	}
	for _, signal := range p.scenario.Signals {
		about := func(e expectation) bool { return e.signal == signal.Name }
		if !slices.ContainsFunc(p.scenario.expected, about) {
			return fmt.Errorf("nothing is expected of signal %s", signal.Name)
		}
	}
	return nil
}
