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

	"example.io/slo-apiserver/pkg/sources"
)

// parseAround reads lines about what is beside the indicators:
//
//	conditions                             print DataSound, IndicatorFaithful and PromisesKept too
//	version kube-apiserver <git version> <instance>
//	version kubelet <git version> [<number of kubelets>]
//	own <instance>                         has the families of slo-apiserver
//	core <instance>...                     serve requests for the core group
//	serves <group> <instance>...           serve requests for another group
//	dryrun <verb> <scope> <resource[.group][/subresource]> <n>   as counted; n=0: the family is there
//	watchlist <scope> <n>                  lists that were streamed
//	objects <resource[.group]> <n>
//	podchanges <n>
//	dispatched <flow schema> <n>
//	native                                 the series that follow are native histograms, of schema 3
//	expected <component> <n>               instances in the cluster
//	signal <name>                          was asked for, and has no series
//	everykubelet                           as many kubelets as there are nodes
//	warns <signal> <reason> <text>         of one signal
func (s *scenario) parseAround(verb string, args []string) error {
	add := func(signal, metric string, series sources.Series) {
		result := s.results[signal]
		if !slices.Contains(result.Metrics, metric) {
			result.Metrics = append(result.Metrics, metric)
		}
		result.Series = append(result.Series, series)
		s.results[signal] = result
	}
	n := 0.0
	if len(args) > 0 {
		n, _ = strconv.ParseFloat(args[len(args)-1], 64)
	}
	switch verb {
	case "conditions":
		s.all = true
	case "version":
		signal, series := SignalKubeletBuildInfo, sources.Series{Values: args[1:2], Last: 1, Max: 1}
		switch {
		case args[0] == string(sources.KubeAPIServer):
			signal, series.Instance = sources.SignalBuildInfo, args[2]
		case len(args) > 2:
			series.Last = n
		}
		add(signal, "kubernetes_build_info", series)
	case "own":
		add(sources.SignalOwnFamily, "slo_apiserver_ledger_keys", sources.Series{Instance: args[0]})
	case "core":
		for _, name := range args {
			add(sources.SignalRequestGroups, "apiserver_request_total", sources.Series{Values: []string{""}, Instance: name, Increase: 100})
		}
	case "serves":
		for _, name := range args[1:] {
			add(sources.SignalRequestGroups, "apiserver_request_total", sources.Series{Values: args[:1], Instance: name, Increase: 100})
		}
	case "dryrun":
		add(SignalDryRuns, "apiserver_request_total", sources.Series{Values: requestValues(args[0], args[1], args[2]), Increase: n})
	case "watchlist":
		bounds := requestBounds()
		b := &sources.Buckets{Bounds: bounds, Counts: make([]float64, len(bounds)), Sum: math.NaN()}
		observe(b, 0.3, n)
		add(SignalWatchLists, "apiserver_watch_list_duration_seconds", sources.Series{Values: args[:1], Histogram: b})
	case "objects":
		resource := schema.ParseGroupResource(args[0])
		add(SignalObjects, "apiserver_resource_objects", sources.Series{Values: []string{resource.Group, resource.Resource}, Last: n, Max: n})
	case "podchanges":
		add(SignalPodChanges, "apiserver_request_total", sources.Series{Increase: n})
	case "dispatched":
		add(SignalDispatched, "apiserver_flowcontrol_dispatched_requests_total", sources.Series{Values: args[:1], Increase: n})
	case "native":
		s.native = true
	case "expected":
		s.options.Expected = map[sources.Component]int{sources.Component(args[0]): int(n)}
	case "everykubelet":
		s.options.EveryKubelet = true
	case "signal":
		s.results[args[0]] = sources.Result{}
	case "warns":
		result := s.results[args[0]]
		result.Warnings = append(result.Warnings, sources.Warning{Reason: sources.Reason(args[1]), Message: strings.Join(args[2:], " ")})
		s.results[args[0]] = result
	default:
		return errors.New("no such line")
	}
	return nil
}

func requestValues(verb, scope, name string) []string {
	name, subresource, _ := strings.Cut(name, "/")
	resource := schema.ParseGroupResource(name)
	return []string{resource.Group, resource.Resource, subresource, verb, scope}
}

// nativeBuckets of schema 3, whose bounds are powers of the eighth root of two
// (prometheus client_golang, histogram.go), as far as something is in them or next to it.
func nativeBuckets(latencies []string) (*sources.Buckets, error) {
	counts := map[int]float64{} // by exponent of the upper bound
	for _, latency := range latencies {
		var n, seconds float64
		if _, err := fmt.Sscanf(latency, "%fx%f", &n, &seconds); err != nil {
			return nil, err
		}
		counts[int(math.Ceil(8*math.Log2(seconds)-1e-9))] += n
	}
	b := &sources.Buckets{Native: true, Sum: math.NaN()}
	total := 0.0
	bound := func(exponent int) {
		upper := math.Exp2(float64(exponent) / 8)
		if last := len(b.Bounds) - 1; last < 0 || b.Bounds[last] < upper {
			b.Bounds, b.Counts = append(b.Bounds, upper), append(b.Counts, total)
		}
	}
	exponents := make([]int, 0, len(counts))
	for exponent := range counts {
		exponents = append(exponents, exponent)
	}
	slices.Sort(exponents)
	for _, exponent := range exponents {
		bound(exponent - 1)
		total += counts[exponent]
		bound(exponent)
	}
	b.Bounds, b.Counts = append(b.Bounds, math.Inf(1)), append(b.Counts, total)
	return b, nil
}

// instanceOf the words after its name: stale, or restarted <seconds before the end>.
func (s *scenario) instanceAround(i *sources.Instance, args []string) (known bool) {
	switch args[0] {
	case "stale":
		*i = sources.Instance{Component: i.Component, Name: i.Name, Cause: sources.StaleSamples, Problem: strings.Join(args[1:], " ")}
	case "shared":
		*i = sources.Instance{Component: i.Component, Name: i.Name, Cause: sources.SharedAddress, Problem: strings.Join(args[1:], " ")}
	case "restarted":
		seconds, err := strconv.Atoi(args[1])
		if err != nil {
			return false
		}
		i.Started = scenarioAt.Add(-time.Duration(seconds) * time.Second)
	default:
		return false
	}
	return true
}
