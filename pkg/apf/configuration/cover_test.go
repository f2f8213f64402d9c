// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
)

func TestCoversURL(t *testing.T) {
	for _, test := range []struct {
		outer, inner string
		want         bool
	}{
		{"*", "/healthz", true},
		{"*", "*", true},
		{"/", "*", false},
		{"/healthz", "/healthz", true},
		{"/healthz", "/healthz/etcd", true},
		{"/healthz", "/healthzz", false},
		{"/healthz/*", "/healthz", false},
		{"/healthz", "/healthz/*", true},
		{"/healthz/*", "/healthz/etcd", true},
		{"/healthz/etcd", "/healthz/*", false},
	} {
		if got := coversURL(test.outer, test.inner); got != test.want {
			t.Errorf("%s covers %s: got %t", test.outer, test.inner, got)
		}
	}
}

func coversSubject(outer, inner flowcontrolv1.Subject, sure certainty) bool {
	o, ok := subjectOf(&outer)
	i, is := subjectOf(&inner)
	return ok && is && slices.Contains(i.coverers(sure), o)
}

func TestCoversSubject(t *testing.T) {
	broken := flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindUser}
	for _, test := range []struct {
		outer, inner    flowcontrolv1.Subject
		always, usually bool
	}{
		{userNamed("*"), group("g"), true, true},
		{group("*"), account("ns", "*"), true, true},
		{userNamed("u"), userNamed("*"), false, false},
		{userNamed("u"), userNamed("v"), false, false},
		{group("g"), group("*"), false, false},
		{account("ns", "*"), account("ns", "a"), true, true},
		{account("ns", "a"), account("ns", "*"), false, false},
		{account("n", "*"), account("ns", "a"), false, false},
		{account("ns", "*"), userNamed("system:serviceaccount:ns:a"), true, true},
		{userNamed("system:serviceaccount:ns:a"), account("ns", "a"), true, true},
		{group("system:authenticated"), userNamed("u"), false, true},
		{group("system:authenticated"), userNamed("system:anonymous"), false, false},
		{group("system:unauthenticated"), userNamed("system:anonymous"), false, true},
		{group("system:authenticated"), group("g"), false, true},
		{group("system:authenticated"), group("system:unauthenticated"), false, false},
		{group("system:serviceaccounts"), account("ns", "*"), false, true},
		{group("system:serviceaccounts:ns"), account("ns", "a"), false, true},
		{group("system:serviceaccounts:n"), account("ns", "a"), false, false},
		{broken, broken, false, false},
		{userNamed("*"), broken, false, false},
	} {
		if got := coversSubject(test.outer, test.inner, always); got != test.always {
			t.Errorf("%v covers %v always: got %t", test.outer, test.inner, got)
		}
		if got := coversSubject(test.outer, test.inner, usually); got != test.usually {
			t.Errorf("%v covers %v usually: got %t", test.outer, test.inner, got)
		}
	}
}

// request is as much of one as rules look at; namespace is "" for the cluster.
type request struct {
	user                                string
	groups                              []string
	verb, apiGroup, resource, namespace string
	path                                string // of a request for no resource
}

// matches is written after the documentation of the API, on purpose in another way
// than the code under test.
func (r request) matches(s *schema) bool {
	in := func(list []string, v string) bool { return slices.Contains(list, "*") || slices.Contains(list, v) }
	who := func(s flowcontrolv1.Subject) bool {
		switch s.Kind {
		case flowcontrolv1.SubjectKindUser:
			return s.User.Name == "*" || s.User.Name == r.user
		case flowcontrolv1.SubjectKindGroup:
			return s.Group.Name == "*" || slices.Contains(r.groups, s.Group.Name)
		default:
			prefix := "system:serviceaccount:" + s.ServiceAccount.Namespace + ":"
			return s.ServiceAccount.Name == "*" && strings.HasPrefix(r.user, prefix) || r.user == prefix+s.ServiceAccount.Name
		}
	}
	for _, rule := range s.Spec.Rules {
		if !slices.ContainsFunc(rule.Subjects, who) {
			continue
		}
		for _, rr := range rule.ResourceRules {
			if r.path == "" && in(rr.Verbs, r.verb) && in(rr.APIGroups, r.apiGroup) && in(rr.Resources, r.resource) &&
				(r.namespace == "" && rr.ClusterScope || r.namespace != "" && in(rr.Namespaces, r.namespace)) {
				return true
			}
		}
		for _, nr := range rule.NonResourceRules {
			below := func(url string) bool {
				return url == "*" || url == r.path || strings.HasPrefix(r.path, strings.TrimSuffix(strings.TrimSuffix(url, "*"), "/")+"/")
			}
			if r.path != "" && in(nr.Verbs, r.verb) && slices.ContainsFunc(nr.NonResourceURLs, below) {
				return true
			}
		}
	}
	return false
}

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

// some is a list of one or two values, or the wildcard alone.
func some(random *rand.Rand, from ...string) []string {
	if random.IntN(3) == 0 {
		return []string{"*"}
	}
	list := []string{pick(random, from...), pick(random, from...)}
	slices.Sort(list)
	return slices.Compact(list)
}

func randomSchema(random *rand.Rand, c *cluster, name string) {
	s := c.add(name, pick(random, "workload-low", "workload-high", "gone"), int32(1+random.IntN(3)))
	s.Spec.Rules = nil
	for range 1 + random.IntN(2) {
		var rule flowcontrolv1.PolicyRulesWithSubjects
		for range 1 + random.IntN(2) {
			rule.Subjects = append(rule.Subjects, []flowcontrolv1.Subject{
				userNamed(pick(random, "u", "*", "system:serviceaccount:n:a")), group(pick(random, "g", "*")), account("n", pick(random, "a", "*")),
			}[random.IntN(3)])
		}
		if random.IntN(3) > 0 {
			rule.ResourceRules = append(rule.ResourceRules, flowcontrolv1.ResourcePolicyRule{
				Verbs: some(random, "get", "list"), APIGroups: some(random, "", "apps"), Resources: some(random, "pods", "pods/status"),
				Namespaces: some(random, "n", "m"), ClusterScope: random.IntN(2) == 0,
			})
		} else {
			rule.NonResourceRules = append(rule.NonResourceRules, flowcontrolv1.NonResourcePolicyRule{
				Verbs: some(random, "get", "list"), NonResourceURLs: some(random, "/a", "/a/*", "/a/b"),
			})
		}
		s.Spec.Rules = append(s.Spec.Rules, rule)
	}
}

// inOrder of matching.
func inOrder(schemas []*schema) []*schema {
	return slices.SortedFunc(slices.Values(schemas), func(a, b *schema) int {
		if precedes(a, b) {
			return -1
		}
		return 1
	})
}

// eachWithEach compares each part of a schema with each of the others, one by one.
func eachWithEach(outers []*schema, inner *schema, sure certainty) (takers []int, c coverage) {
	type part struct {
		subject     flowcontrolv1.Subject
		resource    []flowcontrolv1.ResourcePolicyRule
		nonResource []flowcontrolv1.NonResourcePolicyRule
	}
	parts := func(s *schema) (all []part) {
		for _, rule := range s.Spec.Rules {
			for _, who := range rule.Subjects {
				for i := range rule.ResourceRules {
					all = append(all, part{subject: who, resource: rule.ResourceRules[i : i+1]})
				}
				for i := range rule.NonResourceRules {
					all = append(all, part{subject: who, nonResource: rule.NonResourceRules[i : i+1]})
				}
			}
		}
		return all
	}
	for _, p := range parts(inner) {
		taker := slices.IndexFunc(outers, func(outer *schema) bool {
			return slices.ContainsFunc(parts(outer), func(o part) bool {
				return coversSubject(o.subject, p.subject, sure) && len(o.resource) == len(p.resource) &&
					(len(p.resource) == 0 || coversResource(&o.resource[0], &p.resource[0])) &&
					(len(p.nonResource) == 0 || coversNonResource(&o.nonResource[0], &p.nonResource[0]))
			})
		})
		if taker < 0 {
			return nil, uncovered
		}
		takers, c = append(takers, taker), covered
	}
	slices.Sort(takers)
	return slices.Compact(takers), c
}

// What is looked up is what is found by comparing all with all.
func TestIndexMissesNothing(t *testing.T) {
	seen := map[coverage]int{}
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 8))
		c := &cluster{levels: newCluster().levels}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			randomSchema(random, c, name)
		}
		effective := inOrder(c.schemas)
		x := newIndex(effective)
		for _, sure := range []certainty{always, usually} {
			for i, s := range effective {
				begin := random.IntN(i + 1)
				want, wantCoverage := eachWithEach(effective[begin:i], s, sure)
				for j := range want {
					want[j] += begin
				}
				got, coverage := x.covers(begin, i, askedOf(s, sure))
				if coverage != wantCoverage || !slices.Equal(got, want) {
					t.Fatalf("seed %d: %s from %d: got %v %d, want %v %d", seed, s.Name, begin, got, coverage, want, wantCoverage)
				}
				seen[coverage]++
			}
		}
	}
	if seen[covered] < 500 || seen[uncovered] < 500 {
		t.Fatalf("%v: the property says little", seen)
	}
}

// Of random schemas, no request that matches a shadowed one is left to it.
func TestNobodyIsAccusedWithoutProof(t *testing.T) {
	accused, free := 0, 0
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 7))
		c := &cluster{levels: newCluster().levels}
		for _, name := range []string{"a", "b", "c", "d"} {
			randomSchema(random, c, name)
		}
		effective := slices.DeleteFunc(slices.Clone(c.schemas), func(s *schema) bool { return levelOf(s) == "gone" })
		effective = inOrder(effective)
		reached := map[string]bool{}
		for range 300 {
			r := request{
				user: pick(random, "u", "v", "system:serviceaccount:n:a", "system:serviceaccount:n:b"), groups: [][]string{nil, {"g"}, {"h"}}[random.IntN(3)],
				verb: pick(random, "get", "list", "watch"), apiGroup: pick(random, "", "apps", "batch"), resource: pick(random, "pods", "pods/status", "nodes"),
				namespace: pick(random, "", "n", "m", "o"), path: pick(random, "", "", "", "/a", "/a/b", "/a/c", "/b"),
			}
			if i := slices.IndexFunc(effective, r.matches); i >= 0 {
				reached[effective[i].Name] = true
			}
		}
		for _, f := range shadowed(newIndex(effective)) {
			accused++
			for name := range reached {
				if strings.Contains(f.message, "reaches flow schema "+name+" ") {
					t.Fatalf("seed %d: %s, but one does", seed, f.message)
				}
			}
		}
		free += len(reached)
	}
	if accused < 100 || free < 1000 {
		t.Fatalf("%d accused and %d reached: the property says little", accused, free)
	}
	t.Logf("%d flow schemas shadowed, %d reached", accused, free)
}
