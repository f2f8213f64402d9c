// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
)

// coversResource compares as rule.go matchesResourcePolicyRule does.
func coversResource(outer, inner *flowcontrolv1.ResourcePolicyRule) bool {
	return coversList(outer.Verbs, inner.Verbs) &&
		coversList(outer.APIGroups, inner.APIGroups) &&
		coversList(outer.Resources, inner.Resources) &&
		coversList(outer.Namespaces, inner.Namespaces) &&
		(outer.ClusterScope || !inner.ClusterScope)
}

func coversNonResource(outer, inner *flowcontrolv1.NonResourcePolicyRule) bool {
	return coversList(outer.Verbs, inner.Verbs) &&
		!slices.ContainsFunc(inner.NonResourceURLs, func(url string) bool {
			return !slices.ContainsFunc(outer.NonResourceURLs, func(o string) bool { return coversURL(o, url) })
		})
}

// wildcard of verbs, groups, resources and namespaces alike (flowcontrolv1.VerbAll,
// APIGroupAll, ResourceAll, NamespaceEvery).
const wildcard = "*"

// coversList compares as rule.go containsString does, for which the wildcard is one
// only where it is alone.
func coversList(outer, inner []string) bool {
	if len(outer) == 1 && outer[0] == wildcard {
		return true
	}
	if len(inner) == 1 && inner[0] == wildcard {
		return false
	}
	return !slices.ContainsFunc(inner, func(v string) bool { return !slices.Contains(outer, v) })
}

// coversURL compares as rule.go matchPolicyRuleNonResourceURL does: a path also stands
// for all below it, and "/a/*" for all below "/a/" but not for "/a".
func coversURL(outer, inner string) bool {
	if outer == flowcontrolv1.NonResourceAll || outer == inner {
		return true
	}
	if inner == flowcontrolv1.NonResourceAll {
		return false
	}
	prefix := strings.TrimSuffix(outer, "*")
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return strings.HasPrefix(inner, prefix)
}
