// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"fmt"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// Names of the official objectives.
const (
	APILatencyMutating          = "api-latency-mutating"
	APILatencyReadOnlyCluster   = "api-latency-readonly-cluster"
	APILatencyReadOnlyNamespace = "api-latency-readonly-namespace"
	APILatencyReadOnlyResource  = "api-latency-readonly-resource"
	PodStartupLatency           = "pod-startup-latency"
)

// Percentile and thresholds of the official objectives (kubernetes/community,
// sig-scalability slos/slos.md, slos/api_call_latency.md, slos/pod_startup_latency.md).
// Each threshold is a bucket bound of its metric (k8s.io/apiserver
// pkg/endpoints/metrics/metrics.go, k8s.io/kubernetes pkg/kubelet/metrics/metrics.go).
const (
	percentile = 99
	// singleObjectThreshold is for calls that touch one object.
	singleObjectThreshold = time.Second
	// collectionThreshold is for lists of a namespace or of the whole cluster. It
	// was 5 s for a namespace, until namespaces came to hold tens of thousands of
	// objects of one type (api_call_latency.md, footnote 5).
	collectionThreshold = 30 * time.Second
	// podStartThreshold is without image pulls and init containers.
	podStartThreshold = 5 * time.Second
	// dayGoodPercent: upstream says "99th percentile per cluster-day", which is
	// the fraction of good minutes in a day (slos.md, footnote 1).
	dayGoodPercent = 99
)

// Bounds of the window. Below a minute, the usual interval between evaluations
// and between scrapes, a window holds less than two samples. Above a day it would
// be longer than the day it is a minute of.
const (
	minimumWindow = time.Minute
	maximumWindow = 24 * time.Hour
)

// Verbs as the metrics have them: server-side apply is recorded as APPLY, and POST
// stands for create (k8s.io/apiserver pkg/endpoints/metrics/metrics.go, CleanVerb).
func mutatingVerbs() []string { return []string{"APPLY", "DELETE", "PATCH", "POST", "PUT"} }
func readOnlyVerbs() []string { return []string{"GET", "LIST"} }

// Catalog returns the official objectives, sorted by name, with this window and
// this number of requests below which traffic is called low. The window has to be
// of whole seconds, from one minute to one day; minimumRequests may be zero.
func Catalog(window time.Duration, minimumRequests int64) ([]Objective, error) {
	if window < minimumWindow || window > maximumWindow || window%time.Second != 0 {
		return nil, fmt.Errorf("window %s: must be whole seconds from %s to %s; the official window is %s",
			window, span(minimumWindow), span(maximumWindow), span(DefaultWindow))
	}
	if minimumRequests < 0 {
		return nil, fmt.Errorf("minimum requests %d: must not be negative; 0 never calls traffic low, the default is %d",
			minimumRequests, DefaultMinimumRequests)
	}
	objectives := []Objective{
		apiLatency(APILatencyMutating, "Latency of processing mutating API calls for single objects",
			mutatingVerbs(), "resource", singleObjectThreshold),
		apiLatency(APILatencyReadOnlyCluster, "Latency of processing non-streaming read-only API calls for the objects of a cluster",
			readOnlyVerbs(), "cluster", collectionThreshold),
		apiLatency(APILatencyReadOnlyNamespace, "Latency of processing non-streaming read-only API calls for the objects of a namespace",
			readOnlyVerbs(), "namespace", collectionThreshold),
		apiLatency(APILatencyReadOnlyResource, "Latency of processing non-streaming read-only API calls for single objects",
			readOnlyVerbs(), "resource", singleObjectThreshold),
		podStartup(),
	}
	// Mutating calls are held to the threshold verb by verb, read-only ones by
	// resource and scope only (slos.md).
	objectives[0].Key = append(objectives[0].Key, labelVerb)
	for i := range objectives {
		objectives[i].Official = true
		objectives[i].Percentile = percentile
		objectives[i].Window = window
		objectives[i].MinimumRequests = minimumRequests
		objectives[i].DayGoodPercent = dayGoodPercent
	}
	return objectives, nil
}

func apiLatency(name, description string, verbs []string, scope string, threshold time.Duration) Objective {
	return Objective{
		Name:        name,
		Description: description,
		Component:   sources.KubeAPIServer,
		Signal:      SignalRequestLatency,
		Verbs:       verbs,
		Scope:       scope,
		Key:         []string{labelGroup, labelResource, labelSubresource},
		Events:      "requests",
		Threshold:   threshold,
	}
}

func podStartup() Objective {
	return Objective{
		Name:        PodStartupLatency,
		Description: "Startup latency of schedulable stateless pods, without image pulls and init containers",
		Component:   sources.Kubelet,
		Signal:      SignalPodStartLatency,
		Events:      "pod starts",
		EvenShares:  true,
		Threshold:   podStartThreshold,
	}
}
