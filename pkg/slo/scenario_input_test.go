// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// scenarioAt is the end of the window of all scenarios.
var scenarioAt = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// Buckets of the metrics (k8s.io/apiserver pkg/endpoints/metrics/metrics.go,
// k8s.io/kubernetes pkg/kubelet/metrics/metrics.go).
func requestBounds() []float64 {
	return []float64{0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, math.Inf(+1)}
}

func podStartBounds() []float64 {
	return []float64{0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600, math.Inf(+1)}
}

// scenario is the input of one file.
type scenario struct {
	show             []string
	json             bool
	all              bool // conditions
	native           bool
	options          Options
	rule             sources.Rule
	warnings         []sources.Warning
	sampled          map[sources.Component]int
	instances        []sources.Instance
	noResources      bool
	resourcesProblem error
	classes          map[schema.GroupResource]Class
	aggregated       map[string]bool
	bounds           []float64
	results          map[string]sources.Result
	queues           []v1alpha1.QueueTime
	rejected         *v1alpha1.Rejections
}

// parseScenario reads lines of the form
//
//	show <objective>...                    print these only; no line: all
//	json                                   print whole reports
//	rule Extrapolated                      instead of Exact
//	warning <reason> <text>
//	sampled <component> <n>                the instances were chosen from n
//	instance <component> <name>            that covers the window
//	instance <component> <name> samples <from> <to>   in seconds before the end
//	instance <component> <name> born <from> <to>      the same, and started then
//	instance <component> <name> lost <seconds>        in a restart; covers the window
//	instance <component> <name> missing <problem>
//	class <resource[.group]> <class>       built in: pods, nodes, configmaps and deployments.apps
//	aggregated <group>
//	resources unknown <problem>
//	metric <signal> <metric>               that the series are read from
//	lacks <signal> <instance>              any of its metrics
//	buckets <le>...                        of the series that follow
//	request <verb> <scope> <resource[.group][/subresource]> <n>x<seconds>...
//	podstart <n>x<seconds>...
//	instance <component> <name> stale <problem>        or shared <problem>: unobserved, for that cause
//	instance <component> <name> restarted <seconds>    before the end; covers the window
//
// and those of parseOverhead and parseAround,
// where <n>x<seconds> are n requests of that latency. A line that starts with #
// is a comment.
func parseScenario(input string) (*scenario, error) {
	s := &scenario{
		rule:       sources.Exact,
		aggregated: map[string]bool{},
		results:    map[string]sources.Result{},
		classes: map[schema.GroupResource]Class{
			{Resource: "pods"}: BuiltIn, {Resource: "nodes"}: BuiltIn, {Resource: "configmaps"}: BuiltIn,
			{Group: "apps", Resource: "deployments"}: BuiltIn,
		},
	}
	lines := strings.Split(input, "\n")
	if !strings.HasPrefix(lines[0], "# ") {
		return nil, errors.New("the first line has to be a comment that says why the scenario is there")
	}
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.parseLine(fields[0], fields[1:]); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", i+1, line, err)
		}
	}
	return s, nil
}

func (s *scenario) parseLine(verb string, args []string) error {
	switch verb {
	case "show":
		s.show = args
	case "json":
		s.json = true
	case "rule":
		s.rule = sources.Rule(args[0])
	case "warning":
		s.warnings = append(s.warnings, sources.Warning{Reason: sources.Reason(args[0]), Message: strings.Join(args[1:], " ")})
	case "sampled":
		n, err := strconv.Atoi(args[1])
		s.sampled = map[sources.Component]int{sources.Component(args[0]): n}
		return err
	case "instance":
		return s.parseInstance(args)
	case "class":
		class := slices.Index([]string{"UnknownClass", "BuiltIn", "Custom", "Aggregated", "Virtual"}, args[1])
		s.classes[schema.ParseGroupResource(args[0])] = Class(class)
	case "aggregated":
		s.aggregated[args[0]] = true
	case "resources":
		s.noResources, s.resourcesProblem = true, errors.New(strings.Join(args[1:], " "))
	case "metric":
		result := s.results[args[0]]
		result.Metrics = append(result.Metrics, args[1])
		s.results[args[0]] = result
	case "lacks":
		result := s.results[args[0]]
		result.Missing = append(result.Missing, args[1])
		s.results[args[0]] = result
	case "buckets":
		s.bounds = nil
		for _, le := range args {
			bound, err := strconv.ParseFloat(le, 64)
			if err != nil {
				return err
			}
			s.bounds = append(s.bounds, bound)
		}
	case "request":
		return s.addSeries(SignalRequestLatency, requestValues(args[0], args[1], args[2]), requestBounds(), args[3:])
	case "podstart":
		return s.addSeries(SignalPodStartLatency, nil, podStartBounds(), args)
	default:
		if err := s.parseOverhead(verb, args); err == nil {
			return nil
		}
		return s.parseAround(verb, args)
	}
	return nil
}

func (s *scenario) parseInstance(args []string) error {
	i := sources.Instance{Component: sources.Component(args[0]), Name: args[1], Observed: true,
		First: scenarioAt.Add(-DefaultWindow), Last: scenarioAt}
	switch {
	case len(args) > 2 && s.instanceAround(&i, args[2:]):
	case len(args) > 2 && args[2] == "missing":
		i = sources.Instance{Component: i.Component, Name: i.Name, Problem: strings.Join(args[3:], " ")}
	case len(args) > 2 && args[2] == "lost":
		seconds, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		i.Lost = time.Duration(seconds) * time.Second
	case len(args) > 2:
		from, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		to, err := strconv.Atoi(args[4])
		if err != nil {
			return err
		}
		i.First, i.Last = scenarioAt.Add(-time.Duration(from)*time.Second), scenarioAt.Add(-time.Duration(to)*time.Second)
		if args[2] == "born" {
			i.Started = i.First
		}
	}
	s.instances = append(s.instances, i)
	return nil
}

func (s *scenario) addSeries(signal string, values []string, bounds []float64, latencies []string) error {
	if s.bounds != nil {
		bounds = s.bounds
	}
	b := &sources.Buckets{Bounds: bounds, Counts: make([]float64, len(bounds))}
	if s.native {
		var err error
		if b, err = nativeBuckets(latencies); err != nil {
			return err
		}
		latencies = nil
	}
	for _, latency := range latencies {
		var n, seconds float64
		if _, err := fmt.Sscanf(latency, "%fx%f", &n, &seconds); err != nil {
			return err
		}
		observe(b, seconds, n)
	}
	result := s.results[signal]
	result.Series = append(result.Series, sources.Series{Values: values, Histogram: b})
	s.results[signal] = result
	return nil
}

// observe n events of a latency.
func observe(b *sources.Buckets, seconds, n float64) {
	b.Sum += n * seconds
	for i, bound := range b.Bounds {
		if seconds <= bound {
			b.Counts[i] += n
		}
	}
}

func (s *scenario) shows(name string) bool {
	return s.show == nil || slices.Contains(s.show, name)
}

func (s *scenario) resources() *Resources {
	if s.noResources {
		return nil
	}
	return NewResources(s.classes, s.aggregated)
}

func (s *scenario) reading() *sources.Reading {
	return &sources.Reading{At: scenarioAt, Window: DefaultWindow, Rule: s.rule,
		Instances: s.instances, Results: s.results, Warnings: s.warnings, Sampled: s.sampled}
}
