// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names of the signals that tell a kube-apiserver from other servers built on the
// same library, which expose the same families.
const (
	// SignalBuildInfo is the version of each kube-apiserver.
	SignalBuildInfo = "kube-apiserver-build-info"
	// SignalOwnFamily is a family that only slo-apiserver itself has.
	SignalOwnFamily = "slo-apiserver-itself"
	// SignalRequestGroups are requests by the group of what was asked for: the core
	// group "" is that of kube-apiservers alone.
	SignalRequestGroups = "kube-apiserver-request-groups"
)

// IdentitySignals are what Strangers needs to find in a Reading.
func IdentitySignals() []Signal {
	gauge := func(name, metric string, labels ...string) Signal {
		return Signal{Name: name, Component: KubeAPIServer, Kind: Gauge, Metrics: []string{metric}, Labels: labels, PerInstance: true, NewestOnly: true}
	}
	return []Signal{
		gauge(SignalBuildInfo, "kubernetes_build_info", "git_version"),
		gauge(SignalOwnFamily, "slo_apiserver_ledger_keys"),
		{
			Name: SignalRequestGroups, Component: KubeAPIServer, Kind: Counter, PerInstance: true,
			Metrics: []string{"apiserver_request_total"},
			Labels:  []string{"group"},
			// Without requests that are for no resource, such as /healthz: these are of
			// the group "", too. Reads are enough to know a server by, and a part of all.
			Match: map[string][]string{"scope": {"cluster", "namespace", "resource"}, "verb": {"GET", "LIST"}},
		},
	}
}

// Strangers are the observed instances that are known not to be kube-apiservers: this
// server itself (OwnServer), and others (ForeignServer). A source selects what it reads
// by addresses or names of jobs, and both may be wrong. Whatever does not show stays
// unsaid: that an instance lacks a family proves nothing where families are dropped on
// the way.
func Strangers(reading *Reading) []Warning {
	found := map[string]Warning{}
	among := map[string]bool{}
	for _, i := range reading.Instances {
		among[i.Name] = among[i.Name] || i.Component == KubeAPIServer && i.Observed
	}
	note := func(reason Reason, name, why string) {
		if _, known := found[name]; !known && among[name] {
			found[name] = Warning{
				Reason: reason, Component: KubeAPIServer, Instances: []string{name},
				Message: fmt.Sprintf("%s is no kube-apiserver but %s: correct the scrape job or the list of kube-apiservers", name, why),
			}
		}
	}
	for _, s := range reading.Results[SignalOwnFamily].Series {
		note(OwnServer, s.Instance, "an slo-apiserver")
	}
	for _, s := range reading.Results[SignalBuildInfo].Series {
		if len(s.Values) == 1 && !isKubernetes(s.Values[0]) {
			note(ForeignServer, s.Instance, "a server of version "+s.Values[0])
		}
	}
	// A kube-apiserver reads objects of the core group from its start on, over its loopback
	// client (k8s.io/kubernetes pkg/controlplane: namespaces of the system, the service
	// kubernetes; admission plugins list others).
	serving, others := map[string]bool{}, map[string]bool{}
	for _, s := range reading.Results[SignalRequestGroups].Series {
		switch {
		case !among[s.Instance] || len(s.Values) != 1:
		case s.Values[0] == "":
			serving[s.Instance] = true
		default:
			others[s.Instance] = true
		}
	}
	for _, i := range reading.Instances {
		// Increases need two samples, so that young instances may have none. Where no
		// instance shows any of the core group, nor this one of others, the family was
		// dropped.
		whole := i.Observed && i.Covered() > reading.Window-2*Slack(reading.Window) && i.Complete(reading.At, reading.Window, Slack(reading.Window))
		if i.Component == KubeAPIServer && whole && !serving[i.Name] && (len(serving) > 0 || others[i.Name]) {
			note(ForeignServer, i.Name, "a server that serves nothing of the core group, such as pods")
		}
	}
	var strangers []Warning
	for _, name := range slices.Sorted(maps.Keys(found)) {
		strangers = append(strangers, found[name])
	}
	return strangers
}

// isKubernetes says that a version may be that of a kube-apiserver. Servers built on
// its library have it from the same place, with versions of their own, or without one:
// v0.0.0-master+$Format:%H$ (k8s.io/component-base/version).
func isKubernetes(version string) bool {
	return strings.HasPrefix(version, "v1.")
}
