// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// match returns the index of the first rule that matches: one of its subjects is
// the user, and one of its rules for requests of this kind has the request.
func match(rules []flowcontrolv1.PolicyRulesWithSubjects, caller user.Info, info *request.RequestInfo) (index int, ok bool) {
	index = slices.IndexFunc(rules, func(rule flowcontrolv1.PolicyRulesWithSubjects) bool {
		if !slices.ContainsFunc(rule.Subjects, func(s flowcontrolv1.Subject) bool { return isSubject(caller, s) }) {
			return false
		}
		if info.IsResourceRequest {
			return slices.ContainsFunc(rule.ResourceRules, func(r flowcontrolv1.ResourcePolicyRule) bool { return hasResource(r, info) })
		}
		return slices.ContainsFunc(rule.NonResourceRules, func(r flowcontrolv1.NonResourcePolicyRule) bool { return hasPath(r, info) })
	})
	return index, index >= 0
}

func isSubject(caller user.Info, subject flowcontrolv1.Subject) bool {
	switch name := caller.GetName(); subject.Kind {
	case flowcontrolv1.SubjectKindUser:
		return subject.User != nil && (subject.User.Name == flowcontrolv1.NameAll || subject.User.Name == name)
	case flowcontrolv1.SubjectKindGroup:
		return subject.Group != nil &&
			(subject.Group.Name == flowcontrolv1.NameAll || slices.Contains(caller.GetGroups(), subject.Group.Name))
	case flowcontrolv1.SubjectKindServiceAccount:
		account := subject.ServiceAccount
		switch {
		case account == nil:
			return false
		case account.Name == flowcontrolv1.NameAll:
			return strings.HasPrefix(name, serviceaccount.MakeUsername(account.Namespace, ""))
		}
		return serviceaccount.MatchesUsername(account.Namespace, account.Name, name)
	default:
		return false
	}
}

func hasResource(rule flowcontrolv1.ResourcePolicyRule, info *request.RequestInfo) bool {
	resource := info.Resource
	if info.Subresource != "" {
		resource += "/" + info.Subresource
	}
	if !has(rule.Verbs, info.Verb) ||
		!has(rule.APIGroups, info.APIGroup) ||
		!has(rule.Resources, resource) {
		return false
	}
	if info.Namespace == "" {
		return rule.ClusterScope
	}
	return has(rule.Namespaces, info.Namespace)
}

func hasPath(rule flowcontrolv1.NonResourcePolicyRule, info *request.RequestInfo) bool {
	if !has(rule.Verbs, info.Verb) {
		return false
	}
	return slices.ContainsFunc(rule.NonResourceURLs, func(url string) bool {
		if url == flowcontrolv1.NonResourceAll || url == info.Path {
			return true
		}
		// A path has all below it, with an asterisk and without.
		below := strings.TrimSuffix(url, "*")
		if !strings.HasSuffix(below, "/") {
			below += "/"
		}
		return strings.HasPrefix(info.Path, below)
	})
}

// has tells whether a list has a value. The wildcard, which is the same for all
// lists, stands for all only where it is alone, which validation sees to; it is no
// pattern.
func has(list []string, value string) bool {
	return (len(list) == 1 && list[0] == flowcontrolv1.ResourceAll) || slices.Contains(list, value)
}
