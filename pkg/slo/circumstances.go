// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"maps"
	"math"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/evidence"
	"example.io/slo-apiserver/pkg/sources"
)

// Names of the signals that no objective is made from, but what is said beside them.
const (
	// SignalKubeletBuildInfo counts the kubelets of each version.
	SignalKubeletBuildInfo = "kubelet-build-info"
	// SignalDryRuns are answers to requests that were dry runs.
	SignalDryRuns = "api-dry-runs"
	// SignalWatchLists are lists that were streamed by a watch.
	SignalWatchLists = "api-watch-lists"
	// SignalObjects is how many objects there are of each resource.
	SignalObjects = "cluster-objects"
	// SignalPodChanges are pods that were created, changed or deleted.
	SignalPodChanges = "pod-changes"
	// SignalDispatched are requests that API Priority & Fairness let through.
	SignalDispatched = "dispatched-requests-by-flow-schema"
)

const (
	labelGitVersion = "git_version"
	labelFlowSchema = "flow_schema"
)

// circumstanceSignals are read beside those of the objectives. Names, labels and
// versions are those of k8s.io/component-base/metrics/version.go and k8s.io/apiserver
// pkg/endpoints/metrics, pkg/storage/etcd3/metrics and pkg/util/flowcontrol/metrics.
func circumstanceSignals() []sources.Signal {
	requests := map[string][]string{"component": {"apiserver"}}
	with := func(more map[string][]string) map[string][]string {
		all := maps.Clone(requests)
		maps.Copy(all, more)
		return all
	}
	return append(sources.IdentitySignals(),
		sources.Signal{
			Name: SignalKubeletBuildInfo, Component: sources.Kubelet, Kind: sources.Gauge, NewestOnly: true,
			Metrics: []string{"kubernetes_build_info"}, Labels: []string{labelGitVersion},
		},
		sources.Signal{
			Name: SignalDryRuns, Component: sources.KubeAPIServer, Kind: sources.Counter,
			Metrics: []string{"apiserver_request_total"},
			Labels:  []string{labelGroup, labelResource, labelSubresource, labelVerb, labelScope},
			Match:   with(map[string][]string{"dry_run": {"All"}}),
		},
		sources.Signal{
			// 1.29 and later. It has no verb: the request ends as a WATCH.
			Name: SignalWatchLists, Component: sources.KubeAPIServer, Kind: sources.Histogram, Optional: true,
			Metrics: []string{"apiserver_watch_list_duration_seconds"}, Labels: []string{labelScope},
		},
		sources.Signal{
			// Every kube-apiserver counts all objects: per instance, for there is no sum.
			Name: SignalObjects, Component: sources.KubeAPIServer, Kind: sources.Gauge, PerInstance: true, NewestOnly: true, Optional: true,
			Metrics: []string{
				"apiserver_resource_objects", // 1.34 and later
				"apiserver_storage_objects",  // hidden from 1.37 on; the group is in the label resource
			},
			Labels: []string{labelGroup, labelResource},
		},
		sources.Signal{
			Name: SignalPodChanges, Component: sources.KubeAPIServer, Kind: sources.Counter,
			Metrics: []string{"apiserver_request_total"},
			Match: with(map[string][]string{
				"group": {""}, "resource": {"pods"}, "subresource": {""}, "dry_run": {""},
				"verb": {"APPLY", "DELETE", "PATCH", "POST", "PUT"}, "code": {"200", "201", "202"},
			}),
		},
		sources.Signal{
			Name: SignalDispatched, Component: sources.KubeAPIServer, Kind: sources.Counter,
			Metrics: []string{"apiserver_flowcontrol_dispatched_requests_total"}, Labels: []string{labelFlowSchema},
		})
}

// circumstances are what one reading tells beside the objectives.
type circumstances struct {
	reading *sources.Reading
	// apiservers and kubelets are the versions that run, ascending.
	apiservers, kubelets []release
	// objects by resource.group; a resource that is not known is absent. resources are all
	// that should have been counted.
	objects   map[string]float64
	resources map[string]bool
	// podChanges and userRequests in the window; NaN when not known. countsAll says that
	// they are those of all kube-apiservers.
	podChanges, userRequests float64
	countsAll                bool
	// promised is the evidence of PromisesKept, once somebody has asked for it.
	promised *evidence.Part
}

func circumstancesOf(reading *sources.Reading, options Options) *circumstances {
	c := &circumstances{
		reading:      reading,
		apiservers:   releases(reading.Results[sources.SignalBuildInfo]),
		kubelets:     releases(reading.Results[SignalKubeletBuildInfo]),
		podChanges:   sumOf(reading.Results[SignalPodChanges], func([]string) bool { return true }),
		userRequests: sumOf(reading.Results[SignalDispatched], func(values []string) bool { return len(values) != 1 || !isSystemSchema(values[0]) }),
	}
	c.objects, c.resources = objectsOf(reading.Results[SignalObjects])
	changes, all := reading.Results[SignalPodChanges], cover(Objective{Component: sources.KubeAPIServer, Window: reading.Window}, reading)
	all.expect(c, options)
	c.countsAll = all.isFull() && c.countsRequests() && changes.Whole() && reading.Results[SignalDispatched].Whole()
	if math.IsNaN(c.podChanges) && c.countsRequests() && changes.Whole() {
		c.podChanges = 0
	}
	return c
}

// countsRequests says that every kube-apiserver that was read counts its requests: what
// is not there was not asked for, then.
func (c *circumstances) countsRequests() bool {
	counting := map[string]bool{}
	for _, s := range c.reading.Results[sources.SignalRequestGroups].Series {
		counting[s.Instance] = true
	}
	for _, i := range c.reading.Instances {
		if i.Component == sources.KubeAPIServer && i.Observed && !counting[i.Name] {
			return false
		}
	}
	return len(counting) > 0
}

// releases that run, ascending, each once.
func releases(result sources.Result) []release {
	var all []release
	for _, s := range result.Series {
		if r, known := releaseOf(s); known {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, release.compare)
	return slices.Compact(all)
}

// objectsOf each resource: the most that an instance has counted. They count once a
// minute, and -1 says that counting failed.
func objectsOf(result sources.Result) (objects map[string]float64, resources map[string]bool) {
	objects, resources = map[string]float64{}, map[string]bool{}
	for _, s := range result.Series {
		if len(s.Values) != 2 {
			continue
		}
		name := s.Values[1]
		if s.Values[0] != "" {
			name += "." + s.Values[0]
		}
		resources[name] = true
		if s.Last >= 0 && !math.IsInf(s.Last, 1) {
			objects[name] = max(objects[name], s.Last)
		}
	}
	return objects, resources
}

// sumOf the increases of series with such labels; NaN without any series at all.
func sumOf(result sources.Result, counts func(values []string) bool) float64 {
	if len(result.Series) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, s := range result.Series {
		if counts(s.Values) {
			sum += s.Increase
		}
	}
	return sum
}

// systemSchemas are the flow schemas of requests that no user made
// (k8s.io/apiserver pkg/apis/flowcontrol/bootstrap/default.go). Those of service
// accounts outside of kube-system, and those of administrators, who are exempt, may be
// users: nobody can tell.
var systemSchemas = []string{
	"endpoint-controller", "kube-controller-manager", "kube-scheduler", "kube-system-service-accounts", "probes",
	"system-leader-election", "system-node-high", "system-nodes", "workload-leader-election",
}

func isSystemSchema(name string) bool { return slices.Contains(systemSchemas, name) }

// perSecond of a number of events in the window.
func (c *circumstances) perSecond(events float64) float64 {
	return events / max(c.reading.Window, time.Second).Seconds()
}
