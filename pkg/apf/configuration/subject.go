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

// subject of a rule as a key, so that the rules for it are looked up and not
// searched for. Only service accounts have a namespace.
type subject struct {
	kind            flowcontrolv1.SubjectKind
	namespace, name string
}

// subjectOf is not ok without the field that the kind asks for: that matches nobody.
func subjectOf(s *flowcontrolv1.Subject) (key subject, ok bool) {
	switch {
	case s.Kind == flowcontrolv1.SubjectKindUser && s.User != nil:
		return subject{kind: s.Kind, name: s.User.Name}, true
	case s.Kind == flowcontrolv1.SubjectKindGroup && s.Group != nil:
		return subject{kind: s.Kind, name: s.Group.Name}, true
	case s.Kind == flowcontrolv1.SubjectKindServiceAccount && s.ServiceAccount != nil:
		return subject{kind: s.Kind, namespace: s.ServiceAccount.Namespace, name: s.ServiceAccount.Name}, true
	default:
		return subject{}, false
	}
}

// coverers are all subjects that whoever is s is, too (rule.go matchesSubject). One
// may be there twice.
func (s subject) coverers(sure certainty) []subject {
	groups := []string{flowcontrolv1.NameAll}
	if s.kind == flowcontrolv1.SubjectKindGroup {
		groups = append(groups, s.name)
	}
	if sure == usually {
		groups = append(groups, s.usualGroups()...)
	}
	subjects := make([]subject, 0, len(groups)+4)
	for _, name := range groups {
		subjects = append(subjects, subject{kind: flowcontrolv1.SubjectKindGroup, name: name})
	}
	subjects = append(subjects, subject{kind: flowcontrolv1.SubjectKindUser, name: flowcontrolv1.NameAll})
	if name, isUser := s.userName(); isUser {
		subjects = append(subjects, subject{kind: flowcontrolv1.SubjectKindUser, name: name})
	}
	if namespace, account, is := s.serviceAccount(); is {
		subjects = append(subjects,
			subject{flowcontrolv1.SubjectKindServiceAccount, namespace, flowcontrolv1.NameAll},
			subject{flowcontrolv1.SubjectKindServiceAccount, namespace, account})
	}
	return subjects
}

// userName of a subject that is one user, if only as a service account.
func (s subject) userName() (name string, isUser bool) {
	switch s.kind {
	case flowcontrolv1.SubjectKindUser:
		return s.name, s.name != flowcontrolv1.NameAll
	case flowcontrolv1.SubjectKindServiceAccount:
		if s.name != flowcontrolv1.NameAll {
			return serviceaccount.MakeUsername(s.namespace, s.name), true
		}
	case flowcontrolv1.SubjectKindGroup:
	}
	return "", false
}

// serviceAccount that a subject is; its name may be "*".
func (s subject) serviceAccount() (namespace, name string, is bool) {
	switch s.kind {
	case flowcontrolv1.SubjectKindServiceAccount:
		return s.namespace, s.name, true
	case flowcontrolv1.SubjectKindUser:
		namespace, name, err := serviceaccount.SplitUsername(s.name)
		return namespace, name, err == nil
	case flowcontrolv1.SubjectKindGroup:
	}
	return "", "", false
}

// usualGroups are those that authentication puts whoever is the subject into.
func (s subject) usualGroups() []string {
	if namespace, _, is := s.serviceAccount(); is {
		return slices.Concat(serviceaccount.MakeGroupNames(namespace), []string{user.AllAuthenticated})
	}
	name, isUser := s.userName()
	isGroup := s.kind == flowcontrolv1.SubjectKindGroup
	switch {
	case isGroup && s.name == user.AllUnauthenticated, isUser && name == user.Anonymous:
		return []string{user.AllUnauthenticated}
	case isGroup && strings.HasPrefix(s.name, serviceaccount.ServiceAccountGroupPrefix):
		return []string{serviceaccount.AllServiceAccountsGroup, user.AllAuthenticated}
	case isGroup && s.name != flowcontrolv1.NameAll, isUser:
		return []string{user.AllAuthenticated}
	default:
		return nil
	}
}
