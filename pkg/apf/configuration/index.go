// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"cmp"
	"maps"
	"slices"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
)

// maxComparisons of values bound what one judgement costs, which is a part of every
// evaluation. One flow schema may take half of what the others have left, so that
// a large one leaves enough for small ones.
const maxComparisons = 1_000_000

// coverage of a flow schema by others.
type coverage int

const (
	// uncovered says that some part of it is covered by none of them.
	uncovered coverage = iota
	covered
	// unjudged says that its share of maxComparisons did not suffice.
	unjudged
)

// index has the flow schemas that are in use, in the order of matching, and finds
// their rules by subject.
type index struct {
	schemas   []*flowcontrolv1.FlowSchema
	bySubject map[subject][]rules
	// left of maxComparisons, and what of that is kept for other flow schemas.
	left, kept int
}

// rules of one flow schema for the same subjects.
type rules struct {
	schema int
	*flowcontrolv1.PolicyRulesWithSubjects
}

func newIndex(effective []*flowcontrolv1.FlowSchema) *index {
	x := &index{schemas: effective, bySubject: map[subject][]rules{}, left: maxComparisons}
	for i, s := range effective {
		for j := range s.Spec.Rules {
			r := rules{i, &s.Spec.Rules[j]}
			for k := range r.Subjects {
				key, ok := subjectOf(&r.Subjects[k])
				if known := x.bySubject[key]; ok && (len(known) == 0 || known[len(known)-1] != r) {
					x.bySubject[key] = append(known, r)
				}
			}
		}
	}
	return x
}

// asked is one subject of a flow schema with the rules for it; each of the rules makes
// a part of the schema that matches requests by itself.
type asked struct {
	// coverers of the subject: none, where it matches nobody.
	coverers []subject
	rules    []covering
}

// covering says whether a rule is covered by one of these.
type covering func(*index, *flowcontrolv1.PolicyRulesWithSubjects) bool

func askedOf(schema *flowcontrolv1.FlowSchema, sure certainty) []asked {
	var all []asked
	for i := range schema.Spec.Rules {
		r := &schema.Spec.Rules[i]
		coverings := coveringsOf(r)
		if len(coverings) == 0 {
			continue
		}
		for j := range r.Subjects {
			a := asked{rules: coverings}
			if s, ok := subjectOf(&r.Subjects[j]); ok {
				a.coverers = s.coverers(sure)
			}
			all = append(all, a)
		}
	}
	return all
}

func coveringsOf(inner *flowcontrolv1.PolicyRulesWithSubjects) []covering {
	var all []covering
	for _, r := range inner.ResourceRules {
		all = append(all, func(x *index, outer *flowcontrolv1.PolicyRulesWithSubjects) bool {
			return slices.ContainsFunc(outer.ResourceRules, func(o flowcontrolv1.ResourcePolicyRule) bool {
				return x.spend(resourceComparisons(&o, &r)) && coversResource(&o, &r)
			})
		})
	}
	for _, r := range inner.NonResourceRules {
		all = append(all, func(x *index, outer *flowcontrolv1.PolicyRulesWithSubjects) bool {
			return slices.ContainsFunc(outer.NonResourceRules, func(o flowcontrolv1.NonResourcePolicyRule) bool {
				return x.spend(nonResourceComparisons(&o, &r)) && coversNonResource(&o, &r)
			})
		})
	}
	return all
}

// covers says whether each part is covered by a rule of a flow schema from begin to
// before end, and by which it is first, in the order of matching. Where there are no
// parts nothing is covered.
func (x *index) covers(begin, end int, parts []asked) (takers []int, c coverage) {
	x.kept = x.left / 2
	seen := map[int]bool{}
	for _, p := range parts {
		for _, rule := range p.rules {
			first, c := x.first(begin, end, p.coverers, rule)
			if c != covered {
				return nil, c
			}
			seen[first] = true
		}
	}
	if len(seen) == 0 {
		return nil, uncovered
	}
	return slices.Sorted(maps.Keys(seen)), covered
}

// first flow schema from begin to before end that covers a rule for one of the subjects.
func (x *index) first(begin, end int, subjects []subject, rule covering) (schema int, c coverage) {
	schema = end
	for _, s := range subjects {
		found := x.bySubject[s]
		start, _ := slices.BinarySearchFunc(found, begin, func(r rules, schema int) int { return cmp.Compare(r.schema, schema) })
		for _, r := range found[start:] {
			if r.schema >= schema {
				break
			}
			if x.spend(1) && rule(x, r.PolicyRulesWithSubjects) {
				schema = r.schema
			}
		}
		if !x.spend(1) {
			return end, unjudged
		}
	}
	if schema == end {
		return end, uncovered
	}
	return schema, covered
}

// spend says whether that many comparisons may be made. After a refusal no more are.
func (x *index) spend(comparisons int) bool {
	if comparisons > x.left-x.kept {
		x.left = x.kept
		return false
	}
	x.left -= comparisons
	return true
}

// resourceComparisons are the most that coversResource makes. One wildcard for all
// lists is one for each.
func resourceComparisons(outer, inner *flowcontrolv1.ResourcePolicyRule) int {
	return len(outer.Verbs)*len(inner.Verbs) + len(outer.APIGroups)*len(inner.APIGroups) +
		len(outer.Resources)*len(inner.Resources) + len(outer.Namespaces)*len(inner.Namespaces) + 1
}

func nonResourceComparisons(outer, inner *flowcontrolv1.NonResourcePolicyRule) int {
	return len(outer.Verbs)*len(inner.Verbs) + len(outer.NonResourceURLs)*len(inner.NonResourceURLs) + 1
}
