// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func numbered(n int) []flowcontrolv1.Subject {
	var subjects []flowcontrolv1.Subject
	for i := range n {
		subjects = append(subjects, userNamed(fmt.Sprintf("user-%06d", i)))
	}
	return subjects
}

// manyUsers has two flow schemas of the same users, listed from either end.
func manyUsers(users int) *cluster {
	c := newCluster()
	c.add("a", "workload-low", 7000, numbered(users)...)
	subjects := numbered(users)
	slices.Reverse(subjects)
	c.add("b", "workload-high", 7001, subjects...)
	return c
}

// manyRules has two flow schemas of one user and equal rules, listed from either end:
// more than is judged.
func manyRules(n int) *cluster {
	c := newCluster()
	for i, name := range []string{"a", "b"} {
		var rules []flowcontrolv1.ResourcePolicyRule
		for j := range n {
			rule := everything()
			rule.Resources = []string{fmt.Sprintf("resource-%06d", j)}
			rules = append(rules, rule)
		}
		if i == 1 {
			slices.Reverse(rules)
		}
		c.add(name, "workload-low", int32(7000+i), userNamed("u")).Spec.Rules[0].ResourceRules = rules
	}
	return c
}

// BenchmarkJudge is part of every evaluation.
func BenchmarkJudge(b *testing.B) {
	run := func(name string, c *cluster) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Judge(c.levels, c.schemas)
			}
		})
	}
	run("new", newCluster())
	many := newCluster()
	for i := range 200 {
		many.add(fmt.Sprintf("team-%d", i), "workload-low", 5000, group(fmt.Sprintf("team-%d", i)), account(fmt.Sprintf("team-%d", i), "*"))
	}
	run("schemas=200", many)
	for _, users := range []int{500, 4000} {
		run(fmt.Sprintf("users=%d", users), manyUsers(users))
	}
	run("rules=2000", manyRules(2000))
}

// What a judgement may cost is bounded, and what is too much is called unknown. The
// bound is far from what clusters have.
func TestBoundOfComparisons(t *testing.T) {
	spent := func(c *cluster) int {
		x := newIndex(inOrder(c.schemas))
		shadowed(x)
		return maxComparisons - x.left
	}
	if n := spent(newCluster()); n < 1 || n > maxComparisons/1000 {
		t.Errorf("%d comparisons in a new cluster", n)
	}
	if one, eight := spent(manyUsers(500)), spent(manyUsers(4000)); eight > 9*one || eight > maxComparisons/10 {
		t.Errorf("%d comparisons for 500 users and %d for 4000: more than in proportion", one, eight)
	}
	conditions := Judge(manyUsers(4000).levels, manyUsers(4000).schemas)
	if c := conditions["workload-high"]; c.Reason != ReasonFlowSchemaShadowed || !strings.Contains(c.Message, "because a takes them first") {
		t.Errorf("4000 users: %+v", c)
	}

	// Rules that are listed from the other end are two million pairs. Small flow
	// schemas are judged all the same.
	c := manyRules(2000)
	c.add("late", "workload-high", 7002, userNamed("u"))
	c.add("later", "workload-high", 7003, userNamed("u"))
	if n := spent(c); n < maxComparisons/2 || n > maxComparisons*6/10 {
		t.Errorf("%d comparisons, want half and a few", n)
	}
	conditions = Judge(c.levels, c.schemas)
	want := metav1.Condition{
		Type: "ConfigurationSound", Status: metav1.ConditionUnknown, Reason: ReasonFlowSchemaNotJudged,
		Message: "whether requests reach flow schema b (matchingPrecedence 7001) is not known: to compare its rules with those before it takes too long",
	}
	if got := conditions["workload-low"]; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := conditions["workload-high"]; got.Reason != ReasonFlowSchemaShadowed || !strings.Contains(got.Message, "flow schema later ") {
		t.Errorf("got %+v", got)
	}

	// One that dangles is not said to go on to b, but to the next that is found.
	c = manyRules(2000)
	c.schema("a").Spec.PriorityLevelConfiguration.Name = "gone"
	if got := Judge(c.levels, c.schemas)["global-default"]; got.Reason != ReasonFlowSchemaDangling || !strings.Contains(got.Message, "global-default at the latest") {
		t.Errorf("got %+v", got)
	}

	// However many there are: the last of them find nothing left.
	c = newCluster()
	for i := range 64 {
		c.schemas = append(c.schemas, manyRules(200).schemas[len(newCluster().schemas):]...)
		c.schemas[len(c.schemas)-2].Name, c.schemas[len(c.schemas)-1].Name = fmt.Sprintf("a-%d", i), fmt.Sprintf("b-%d", i)
	}
	if n := spent(c); n > maxComparisons {
		t.Errorf("%d comparisons", n)
	}
}
