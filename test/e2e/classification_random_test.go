// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"math/rand/v2"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func randomSchema(r *rand.Rand, name string) *flowcontrolv1.FlowSchema {
	fs := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}}
	fs.Spec.MatchingPrecedence = 2 + r.Int32N(4)
	fs.Spec.PriorityLevelConfiguration.Name = pick(r, "workload-low", "workload-high", "catch-all", "exempt", "e2e-missing")
	for range 1 + r.IntN(2) {
		rule := flowcontrolv1.PolicyRulesWithSubjects{Subjects: []flowcontrolv1.Subject{randomSubject(r)}}
		namespaces := []string{pick(r, "e2e-a", "e2e-b", "*")}
		rule.ResourceRules = []flowcontrolv1.ResourcePolicyRule{{
			Verbs: []string{pick(r, "get", "list", "create", "*", "*")}, APIGroups: []string{pick(r, "", "apps", "*")},
			Resources: []string{pick(r, "pods", "pods/status", "deployments", "namespaces", "*")}, ClusterScope: r.IntN(2) == 0, Namespaces: namespaces,
		}}
		rule.NonResourceRules = []flowcontrolv1.NonResourcePolicyRule{{
			Verbs: []string{pick(r, "get", "*")}, NonResourceURLs: []string{pick(r, "/version", "/healthz", "/healthz/*", "/apis", "*")},
		}}
		fs.Spec.Rules = append(fs.Spec.Rules, rule)
	}
	return fs
}

// randomSubject is none of the cluster itself.
func randomSubject(r *rand.Rand) flowcontrolv1.Subject {
	switch r.IntN(3) {
	case 0:
		return flowcontrolv1.Subject{Kind: "User", User: &flowcontrolv1.UserSubject{Name: pick(r, "e2e-alice", "e2e-bob")}}
	case 1:
		return flowcontrolv1.Subject{Kind: "Group", Group: &flowcontrolv1.GroupSubject{Name: pick(r, "e2e-dev", "system:serviceaccounts:e2e-a")}}
	default:
		return flowcontrolv1.Subject{Kind: "ServiceAccount", ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: "e2e-a", Name: pick(r, "one", "*")}}
	}
}

func randomRequest(r *rand.Rand) request {
	asked := request{user: pick(r, "e2e-alice", "e2e-bob", "system:serviceaccount:e2e-a:one", "system:serviceaccount:e2e-a:two", "system:serviceaccount:e2e-ab:one")}
	if r.IntN(3) == 0 {
		asked.groups = []string{"e2e-dev"}
	}
	if r.IntN(4) == 0 {
		asked.verb, asked.path = pick(r, "get", "post"), pick(r, "/version", "/healthz", "/healthz/etcd", "/apis", "/apis/apps")
		return asked
	}
	asked.verb = pick(r, "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
	asked.group, asked.resource = "", pick(r, "pods", "namespaces", "configmaps")
	if r.IntN(4) == 0 {
		asked.group, asked.resource = "apps", "deployments"
	}
	if asked.resource != "namespaces" {
		asked.namespace = pick(r, "", "e2e-a", "e2e-b")
	}
	switch asked.verb {
	case "get", "update", "patch", "delete":
		asked.name = pick(r, "e2e-a", "absent")
		asked.namespace = cmp.Or(asked.namespace, map[bool]string{false: "e2e-a"}[asked.resource == "namespaces"])
		if asked.verb != "delete" && r.IntN(3) == 0 {
			asked.subresource = "status"
		}
	}
	return asked
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }
