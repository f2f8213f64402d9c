// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
)

// certainty says how sure it has to be that one subject stands for another.
type certainty int

const (
	// always holds for every request that a kube-apiserver can be sent.
	always certainty = iota
	// usually also relies on the groups that authentication gives, which are only
	// missing where somebody is impersonated without them.
	usually
)

// part is the smallest piece of a flow schema that matches requests by itself: one
// subject with one rule, of which the other is nil.
type part struct {
	subject     *flowcontrolv1.Subject
	resource    *flowcontrolv1.ResourcePolicyRule
	nonResource *flowcontrolv1.NonResourcePolicyRule
}

func partsOf(schema *flowcontrolv1.FlowSchema) []part {
	var parts []part
	for i := range schema.Spec.Rules {
		rule := &schema.Spec.Rules[i]
		for j := range rule.Subjects {
			for k := range rule.ResourceRules {
				parts = append(parts, part{subject: &rule.Subjects[j], resource: &rule.ResourceRules[k]})
			}
			for k := range rule.NonResourceRules {
				parts = append(parts, part{subject: &rule.Subjects[j], nonResource: &rule.NonResourceRules[k]})
			}
		}
	}
	return parts
}

// coversAll says that each part of inner is covered by a part of some outer. A schema
// that matches nothing is covered by none.
func coversAll(outer []*flowcontrolv1.FlowSchema, inner *flowcontrolv1.FlowSchema, sure certainty) bool {
	parts := partsOf(inner)
	for _, p := range parts {
		if !slices.ContainsFunc(outer, func(s *flowcontrolv1.FlowSchema) bool { return coversPart(s, p, sure) }) {
			return false
		}
	}
	return len(parts) > 0
}

// coversAny says that some part of inner is covered.
func coversAny(outer, inner *flowcontrolv1.FlowSchema, sure certainty) bool {
	return slices.ContainsFunc(partsOf(inner), func(p part) bool { return coversPart(outer, p, sure) })
}

func coversPart(outer *flowcontrolv1.FlowSchema, inner part, sure certainty) bool {
	return slices.ContainsFunc(partsOf(outer), func(p part) bool {
		switch {
		case !coversSubject(p.subject, inner.subject, sure):
			return false
		case inner.resource != nil:
			return p.resource != nil && coversResource(p.resource, inner.resource)
		default:
			return p.nonResource != nil && coversNonResource(p.nonResource, inner.nonResource)
		}
	})
}

// coversSubject says that whoever is inner is outer, too (rule.go matchesSubject).
func coversSubject(outer, inner *flowcontrolv1.Subject, sure certainty) bool {
	if !sayable(outer) || !sayable(inner) {
		return false
	}
	name, isUser := userName(inner)
	switch outer.Kind {
	case flowcontrolv1.SubjectKindUser:
		return outer.User.Name == flowcontrolv1.NameAll || isUser && outer.User.Name == name
	case flowcontrolv1.SubjectKindGroup:
		return outer.Group.Name == flowcontrolv1.NameAll ||
			inner.Kind == flowcontrolv1.SubjectKindGroup && outer.Group.Name == inner.Group.Name ||
			sure == usually && slices.Contains(usualGroups(inner), outer.Group.Name)
	default:
		namespace, account, isAccount := serviceAccount(inner)
		return isAccount && outer.ServiceAccount.Namespace == namespace &&
			(outer.ServiceAccount.Name == flowcontrolv1.NameAll || outer.ServiceAccount.Name == account)
	}
}

// sayable says that a subject has the field that its kind asks for; without, it
// matches nobody.
func sayable(s *flowcontrolv1.Subject) bool {
	switch s.Kind {
	case flowcontrolv1.SubjectKindUser:
		return s.User != nil
	case flowcontrolv1.SubjectKindGroup:
		return s.Group != nil
	case flowcontrolv1.SubjectKindServiceAccount:
		return s.ServiceAccount != nil
	default:
		return false
	}
}

// userName of a subject that is one user, if only as a service account.
func userName(s *flowcontrolv1.Subject) (name string, isUser bool) {
	switch s.Kind {
	case flowcontrolv1.SubjectKindUser:
		return s.User.Name, s.User.Name != flowcontrolv1.NameAll
	case flowcontrolv1.SubjectKindServiceAccount:
		if s.ServiceAccount.Name != flowcontrolv1.NameAll {
			return serviceaccount.MakeUsername(s.ServiceAccount.Namespace, s.ServiceAccount.Name), true
		}
	case flowcontrolv1.SubjectKindGroup:
	}
	return "", false
}

// serviceAccount that a subject is; its name may be "*".
func serviceAccount(s *flowcontrolv1.Subject) (namespace, name string, is bool) {
	switch s.Kind {
	case flowcontrolv1.SubjectKindServiceAccount:
		return s.ServiceAccount.Namespace, s.ServiceAccount.Name, true
	case flowcontrolv1.SubjectKindUser:
		namespace, name, err := serviceaccount.SplitUsername(s.User.Name)
		return namespace, name, err == nil
	case flowcontrolv1.SubjectKindGroup:
	}
	return "", "", false
}

// usualGroups are those that authentication puts whoever is the subject into.
func usualGroups(s *flowcontrolv1.Subject) []string {
	if namespace, _, is := serviceAccount(s); is {
		return append(serviceaccount.MakeGroupNames(namespace), user.AllAuthenticated)
	}
	name, isUser := userName(s)
	switch {
	case s.Kind == flowcontrolv1.SubjectKindGroup && s.Group.Name == user.AllUnauthenticated, isUser && name == user.Anonymous:
		return []string{user.AllUnauthenticated}
	case s.Kind == flowcontrolv1.SubjectKindGroup && strings.HasPrefix(s.Group.Name, serviceaccount.ServiceAccountGroupPrefix):
		return []string{serviceaccount.AllServiceAccountsGroup, user.AllAuthenticated}
	case s.Kind == flowcontrolv1.SubjectKindGroup && s.Group.Name != flowcontrolv1.NameAll, isUser:
		return []string{user.AllAuthenticated}
	default:
		return nil
	}
}

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
