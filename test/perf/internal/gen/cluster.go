// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import "fmt"

// resource of the API, with what it is asked.
type resource struct {
	group, version, name string
}

// builtIn resources of Kubernetes that busy clusters use most.
var builtIn = []resource{
	{"", "v1", "pods"}, {"", "v1", "configmaps"}, {"", "v1", "secrets"}, {"", "v1", "nodes"},
	{"", "v1", "services"}, {"", "v1", "endpoints"}, {"", "v1", "events"}, {"", "v1", "namespaces"},
	{"", "v1", "serviceaccounts"}, {"", "v1", "persistentvolumeclaims"}, {"", "v1", "persistentvolumes"},
	{"apps", "v1", "deployments"}, {"apps", "v1", "replicasets"}, {"apps", "v1", "daemonsets"},
	{"apps", "v1", "statefulsets"}, {"apps", "v1", "controllerrevisions"},
	{"batch", "v1", "jobs"}, {"batch", "v1", "cronjobs"},
	{"coordination.k8s.io", "v1", "leases"}, {"discovery.k8s.io", "v1", "endpointslices"},
	{"networking.k8s.io", "v1", "ingresses"}, {"networking.k8s.io", "v1", "networkpolicies"},
	{"rbac.authorization.k8s.io", "v1", "roles"}, {"rbac.authorization.k8s.io", "v1", "rolebindings"},
	{"rbac.authorization.k8s.io", "v1", "clusterroles"}, {"rbac.authorization.k8s.io", "v1", "clusterrolebindings"},
	{"autoscaling", "v2", "horizontalpodautoscalers"}, {"policy", "v1", "poddisruptionbudgets"},
	{"storage.k8s.io", "v1", "storageclasses"}, {"storage.k8s.io", "v1", "csinodes"},
	{"admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"},
	{"apiextensions.k8s.io", "v1", "customresourcedefinitions"}, {"apiregistration.k8s.io", "v1", "apiservices"},
	{"flowcontrol.apiserver.k8s.io", "v1", "flowschemas"}, {"flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations"},
}

// resourceAt names the i-th resource: what is built in, then custom resources, of
// which large clusters have most of their combinations.
func resourceAt(i int) resource {
	if i < len(builtIn) {
		return builtIn[i]
	}
	i -= len(builtIn)
	return resource{fmt.Sprintf("%s.operators.example.com", []string{"mesh", "certs", "backup", "data", "ci"}[i%5]), "v1beta1", fmt.Sprintf("things%03d", i)}
}

// call is a verb and scope as the labels of the request metrics have them
// (k8s.io/apiserver pkg/endpoints/metrics, CleanVerb and CleanScope).
type call struct{ verb, scope, subresource string }

// calls that a resource gets, the commonest first.
var calls = []call{
	{"LIST", "cluster", ""}, {"GET", "resource", ""}, {"PATCH", "resource", ""}, {"POST", "resource", ""},
	{"PUT", "resource", "status"}, {"LIST", "namespace", ""}, {"DELETE", "resource", ""},
	{"PUT", "resource", ""}, {"APPLY", "resource", ""}, {"PATCH", "resource", "status"},
}

// minCalls and maxCalls that one resource gets: five on average. In the lab it is
// one, in busy clusters with controllers for everything it is more.
const minCalls, maxCalls = 3, 7

// level of API Priority & Fairness, with its flow schemas (k8s.io/apiserver
// pkg/apis/flowcontrol/bootstrap/default.go).
type level struct {
	name    string
	seats   float64 // nominal, of 600 in flight
	schemas []string
}

var levels = []level{
	{"catch-all", 13, []string{"catch-all"}},
	{"exempt", 0, []string{"exempt", "probes"}},
	{"global-default", 49, []string{"global-default"}},
	{"leader-election", 25, []string{"system-leader-election", "endpoint-controller"}},
	{"node-high", 98, []string{"system-node-high"}},
	{"system", 74, []string{"system-nodes", "kube-system-service-accounts"}},
	{"workload-high", 98, []string{"kube-controller-manager", "kube-scheduler", "workload-leader-election"}},
	{"workload-low", 245, []string{"service-accounts"}},
}

// Levels of API Priority & Fairness with their flow schemas.
func Levels() map[string][]string {
	named := map[string][]string{}
	for _, l := range levels {
		named[l.name] = l.schemas
	}
	return named
}
