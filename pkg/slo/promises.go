// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// What a cluster promises, for Kubernetes to promise its objectives
// (kubernetes/community sig-scalability/slos/slos.md, and
// sig-scalability/configs-and-limits/thresholds.md for the numbers).
const (
	mostNodes      = 5_000
	mostPods       = 150_000
	mostNamespaces = 10_000
	mostServices   = 10_000
	// mostObjects of one built-in type, and of events.
	mostObjects      = 150_000
	mostEventObjects = 1_000_000
	// mostChurn: pods created, changed or deleted, and requests of users, in a second.
	mostChurn = 20
)

// promise on how many objects there are of a resource.
type promise struct {
	resource string
	most     float64
	reason   string
}

func promises() []promise {
	return []promise{
		{"nodes", mostNodes, ReasonTooManyNodes},
		{"pods", mostPods, ReasonTooManyPods},
		{"namespaces", mostNamespaces, ReasonTooManyObjects},
		{"services", mostServices, ReasonTooManyObjects},
	}
}

// inOneNamespace are promises on the objects of each namespace.
func inOneNamespace() []promise {
	return []promise{{"pods", 3_000, ReasonTooManyObjects}, {"services", 5_000, ReasonTooManyObjects}, {"deployments.apps", 2_000, ReasonTooManyObjects}}
}

// promisesKept is the condition of that type. Limits on one node (110 pods), one service
// (250 endpoints) and on sizes are not looked at.
func (c *circumstances) promisesKept(resources *Resources) metav1.Condition {
	answer := func(status metav1.ConditionStatus, reason string, texts []string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionPromisesKept, Status: status, Reason: reason, Message: strings.Join(texts, "; ")}
	}
	var broken, kept, unknown []string
	reason := "" // of what is broken: the first
	breaks := func(why, text string) { broken, reason = append(broken, text), cmp.Or(reason, why) }
	for _, p := range slices.Concat(promises(), c.crowded(resources)) {
		n, known := c.objects[p.resource]
		text := fmt.Sprintf("%.0f of %.0f %s", n, p.most, p.resource)
		switch {
		case !known:
			unknown = append(unknown, p.resource)
		case n == 0 && c.hasSome(p.resource):
			unknown = append(unknown, p.resource+" (none counted yet)")
		case n > p.most:
			breaks(p.reason, text)
		default:
			kept = append(kept, text)
		}
	}
	scattered := c.scattered(breaks)
	least, most, text := c.churn()
	switch {
	case least > mostChurn:
		breaks(ReasonChurnTooHigh, text)
	case most <= mostChurn:
		kept = append(kept, text)
	default:
		kept = slices.Insert(kept, 0, text)
	}
	kept = slices.Insert(kept, 0, scattered...)
	if len(unknown) > 0 {
		kept = slices.Insert(kept, 0, "not known: "+strings.Join(unknown, ", "))
	}
	switch texts := slices.Concat(broken, kept); {
	case reason != "":
		return answer(metav1.ConditionFalse, reason, texts)
	case len(unknown) > 0:
		return answer(metav1.ConditionUnknown, ReasonObjectsUnknown, texts)
	case len(scattered) > 0:
		return answer(metav1.ConditionUnknown, ReasonNamespacesUnknown, texts)
	case !(most <= mostChurn):
		return answer(metav1.ConditionUnknown, ReasonChurnUnknown, texts)
	default:
		return answer(metav1.ConditionTrue, ReasonWithinLimits, texts)
	}
}

// scattered says of what there may be too much in one namespace: no metric counts objects
// by namespace. All that there are may be no more than one may have; or more than all
// together may have, which breaks the promise.
func (c *circumstances) scattered(breaks func(reason, text string)) (texts []string) {
	namespaces, known := c.objects["namespaces"]
	for _, p := range inOneNamespace() {
		switch n := c.objects[p.resource]; {
		case known && namespaces > 0 && n > p.most*namespaces:
			breaks(p.reason, fmt.Sprintf("%.0f %s in %.0f namespaces, of which each may have %.0f", n, p.resource, namespaces, p.most))
		case n > p.most:
			texts = append(texts, fmt.Sprintf("whether there are more than %.0f %s in one namespace is not known", p.most, p.resource))
		}
	}
	return texts
}

// hasSome says that there are objects of a resource, or were in the window, whatever was
// counted. A kube-apiserver counts when it starts, on a new cluster before anything is
// there, and then every one to 2.2 minutes (k8s.io/apiserver pkg/registry/generic/registry
// startObservingCount, with --etcd-count-metric-poll-period).
func (c *circumstances) hasSome(resource string) bool {
	switch resource {
	case "namespaces", "services":
		return true // kube-system and default/kubernetes: kube-apiservers make them
	case "nodes":
		isRead := func(i sources.Instance) bool { return i.Component == sources.Kubelet && i.Observed }
		return slices.ContainsFunc(c.reading.Instances, isRead) || sumOf(c.reading.Results[SignalDispatched], isNodesSchema) > 0
	case "pods":
		return c.podChanges > 0
	}
	return false
}

// isNodesSchema says that a flow schema has the requests of nodes alone
// (k8s.io/apiserver pkg/apis/flowcontrol/bootstrap/default.go).
func isNodesSchema(values []string) bool {
	return len(values) == 1 && (values[0] == "system-nodes" || values[0] == "system-node-high")
}

// crowded built-in resources, of which there are more objects than promised, or not
// known how many, sorted. Where any are counted, those are to be that are limited by
// namespace.
func (c *circumstances) crowded(resources *Resources) []promise {
	counted := maps.Clone(c.resources)
	for _, p := range inOneNamespace() {
		if len(c.resources) > 0 {
			counted[p.resource] = true
		}
	}
	var found []promise
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		limit := promise{resource: name, most: mostObjects, reason: ReasonTooManyObjects}
		if name == "events" || name == "events.events.k8s.io" {
			limit.most = mostEventObjects
		}
		named := slices.ContainsFunc(promises(), func(p promise) bool { return p.resource == name })
		n, known := c.objects[name]
		if !named && !(known && n <= limit.most) && resources.isBuiltIn(name) {
			found = append(found, limit)
		}
	}
	return found
}

// isBuiltIn says that a resource.group is not known to be anything else.
func (r *Resources) isBuiltIn(name string) bool {
	if r == nil {
		return true
	}
	resource, group, _ := strings.Cut(name, ".")
	return r.standing(group, resource, "").excluded == ""
}

// churn of a second, on average over the window: no metric tells which requests users
// made. At least it is the changes of pods; at most also all requests that do not come
// from the system, of all kube-apiservers. NaN when not known.
func (c *circumstances) churn() (least, most float64, text string) {
	least = c.perSecond(c.podChanges)
	most = math.NaN()
	if c.countsAll {
		most = c.perSecond(c.podChanges + c.userRequests)
	}
	switch {
	case math.IsNaN(least):
		return least, most, "churn not known"
	case !c.countsAll:
		return least, most, fmt.Sprintf("churn at least %.1f of %d a second: not all requests to all kube-apiservers are counted", least, mostChurn)
	case math.IsNaN(most):
		return least, most, fmt.Sprintf("churn at least %.1f of %d a second", least, mostChurn)
	}
	return least, most, fmt.Sprintf("churn between %.1f and %.1f of %d a second", least, most, mostChurn)
}
