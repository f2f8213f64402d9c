// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
)

type (
	level  = flowcontrolv1.PriorityLevelConfiguration
	schema = flowcontrolv1.FlowSchema
)

// cluster has the objects of a new cluster, to be changed at will.
type cluster struct {
	levels  []*level
	schemas []*schema
}

func newCluster() *cluster {
	c := &cluster{}
	for _, l := range slices.Concat(bootstrap.MandatoryPriorityLevelConfigurations, bootstrap.SuggestedPriorityLevelConfigurations) {
		c.levels = append(c.levels, l.DeepCopy())
	}
	for _, s := range slices.Concat(bootstrap.MandatoryFlowSchemas, bootstrap.SuggestedFlowSchemas) {
		c.schemas = append(c.schemas, s.DeepCopy())
	}
	return c
}

func (c *cluster) level(name string) *level   { return levelNamed(c.levels, name) }
func (c *cluster) schema(name string) *schema { return schemaNamed(c.schemas, name) }

// add a flow schema with one rule: all requests for resources of some subjects.
func (c *cluster) add(name, levelName string, precedence int32, subjects ...flowcontrolv1.Subject) *schema {
	s := &schema{ObjectMeta: metav1.ObjectMeta{Name: name}}
	s.Spec.PriorityLevelConfiguration.Name, s.Spec.MatchingPrecedence = levelName, precedence
	s.Spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{{Subjects: subjects, ResourceRules: []flowcontrolv1.ResourcePolicyRule{everything()}}}
	c.schemas = append(c.schemas, s)
	return s
}

func everything() flowcontrolv1.ResourcePolicyRule {
	all := []string{"*"}
	return flowcontrolv1.ResourcePolicyRule{Verbs: all, APIGroups: all, Resources: all, Namespaces: all, ClusterScope: true}
}

func userNamed(name string) flowcontrolv1.Subject {
	return flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindUser, User: &flowcontrolv1.UserSubject{Name: name}}
}

func group(name string) flowcontrolv1.Subject {
	return flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindGroup, Group: &flowcontrolv1.GroupSubject{Name: name}}
}

func account(namespace, name string) flowcontrolv1.Subject {
	return flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindServiceAccount, ServiceAccount: &flowcontrolv1.ServiceAccountSubject{Namespace: namespace, Name: name}}
}

func TestJudge(t *testing.T) {
	shares := func(l *level) { l.Spec.Limited.NominalConcurrencyShares = new(int32(50)) }
	alone := map[string]string{flowcontrolv1.AutoUpdateAnnotationKey: "false"}
	tests := []struct {
		name   string
		change func(*cluster)
		// want is "level: reason: part of the message"; "" says that nothing is found.
		want string
	}{
		{"a new cluster", func(*cluster) {}, ""},
		{"no level of a user's schema", func(c *cluster) { c.add("x", "gone", 8000, userNamed("u")) },
			"global-default: FlowSchemaDangling: flow schema x is ignored, because its priority level gone does not exist: its requests go on to later flow schemas, global-default at the latest"},
		{"no level of a service account's schema", func(c *cluster) { c.add("x", "gone", 8000, account("ns", "*")) },
			"workload-low: FlowSchemaDangling: flow schema x is ignored, because its priority level gone does not exist: its requests go on to later flow schemas, service-accounts at the latest"},
		{"no level, and only catch-all behind", func(c *cluster) { c.add("x", "gone", 9950, userNamed("u")) },
			"catch-all: FlowSchemaDangling: catch-all at the latest"},
		{"the kube-apiserver says so", func(c *cluster) {
			c.schema("probes").Status.Conditions = []flowcontrolv1.FlowSchemaCondition{{Type: "Dangling", Status: "True", Reason: "NotFound"}}
		}, "exempt: FlowSchemaDangling: flow schema probes is ignored: its condition Dangling is True (NotFound)"},
		{"the kube-apiserver denies it", func(c *cluster) {
			c.schema("probes").Status.Conditions = []flowcontrolv1.FlowSchemaCondition{{Type: "Dangling", Status: "False", Reason: "Found"}}
		}, ""},
		{"behind a schema for everybody", func(c *cluster) {
			c.add("all", "workload-low", 9000, userNamed("*"))
			c.add("late", "workload-high", 9001, userNamed("u"), group("g"), account("ns", "*"))
			c.schemas = slices.DeleteFunc(c.schemas, func(s *schema) bool { return s.Name == "service-accounts" || s.Name == "global-default" })
		}, "workload-high: FlowSchemaShadowed: no request reaches flow schema late (matchingPrecedence 9001), because all takes them first"},
		{"behind two schemas together", func(c *cluster) {
			c.add("one", "workload-low", 7000, userNamed("u"))
			c.add("two", "workload-low", 7001, group("g"))
			c.add("late", "workload-high", 7002, userNamed("u"), group("g"))
		}, "workload-high: FlowSchemaShadowed: no request reaches flow schema late (matchingPrecedence 7002), because one, two take them first"},
		{"the same precedence goes by name", func(c *cluster) {
			c.add("b", "workload-low", 7000, userNamed("u"))
			c.add("a", "workload-high", 7000, userNamed("u"))
		}, "workload-low: FlowSchemaShadowed: no request reaches flow schema b"},
		{"one that dangles takes nothing", func(c *cluster) {
			c.add("a", "workload-high", 7000, userNamed("u")).Status.Conditions = []flowcontrolv1.FlowSchemaCondition{{Type: "Dangling", Status: "True"}}
			c.add("b", "workload-low", 7000, userNamed("u"))
		}, "workload-high: FlowSchemaDangling: no reason"},
		{"a group covers no user", func(c *cluster) {
			c.add("a", "workload-high", 7000, group("system:serviceaccounts"), group("system:authenticated"))
			c.add("b", "workload-low", 7001, account("ns", "name"), userNamed("u"))
		}, ""},
		{"without rules nothing is covered", func(c *cluster) { c.add("b", "workload-low", 7001) }, ""},
		{"mandatory shares", func(c *cluster) { shares(c.level("catch-all")) },
			"catch-all: MandatoryObjectChanged: the mandatory priority level catch-all is not that of Kubernetes 1.37, though kube-apiservers restore it every minute: nominalConcurrencyShares 50, not 5"},
		{"shares of the level exempt are for the operator", func(c *cluster) {
			c.level("exempt").Spec.Exempt.NominalConcurrencyShares = new(int32(50))
		}, ""},
		{"the level exempt is limited", func(c *cluster) { c.level("exempt").Spec = c.level("system").Spec }, "exempt: MandatoryObjectChanged: type Limited, not Exempt"},
		{"mandatory rules", func(c *cluster) { c.schema("exempt").Spec.Rules[0].Subjects = []flowcontrolv1.Subject{group("admins")} },
			"exempt: MandatoryObjectChanged: the mandatory flow schema exempt is not that of Kubernetes 1.37, though kube-apiservers restore it every minute: other rules"},
		{"another version, updated by its kube-apiserver", func(c *cluster) { shares(c.level("system")) }, ""},
		{"left alone, and as it was", func(c *cluster) { c.level("system").Annotations = alone }, ""},
		{"left alone", func(c *cluster) { c.level("system").Annotations = alone; shares(c.level("system")) },
			"system: DiffersFromDefaults: priority level system differs from that of Kubernetes 1.37, and apf.kubernetes.io/autoupdate-spec=false keeps it so: nominalConcurrencyShares 50, not 30"},
		{"schema left alone", func(c *cluster) {
			s := c.schema("service-accounts")
			s.Annotations, s.Spec.MatchingPrecedence, s.Spec.DistinguisherMethod = alone, 9100, nil
		}, "workload-low: DiffersFromDefaults: matchingPrecedence 9100, not 9000, distinguisherMethod none, not ByUser"},
		{"the gravest first", func(c *cluster) {
			c.level("workload-low").Annotations = alone
			shares(c.level("workload-low"))
			c.add("a", "workload-high", 7000, userNamed("u"))
			c.add("b", "workload-low", 7001, userNamed("u"))
		}, "workload-low: FlowSchemaShadowed: a takes them first; priority level workload-low differs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster()
			test.change(c)
			conditions := Judge(c.levels, c.schemas)
			if len(conditions) != len(c.levels) {
				t.Fatalf("%d conditions of %d levels", len(conditions), len(c.levels))
			}
			want := strings.SplitN(test.want+": : ", ": ", 3)
			want[2] = strings.TrimSuffix(want[2], ": : ")
			for name, got := range conditions {
				reason, status := ReasonNoFindings, metav1.ConditionTrue
				if name == want[0] {
					reason = want[1]
				}
				if reason != ReasonNoFindings && reason != ReasonDiffersFromDefaults {
					status = metav1.ConditionFalse
				}
				if got.Type != "ConfigurationSound" || got.Reason != reason || got.Status != status {
					t.Errorf("%s: got %s %s: %s, want %s %s", name, got.Status, got.Reason, got.Message, status, reason)
				}
				if name == want[0] && !strings.Contains(got.Message, want[2]) {
					t.Errorf("%s: got %q, want %q in it", name, got.Message, want[2])
				}
			}
		})
	}
}

// The version that messages speak of is that of the module with the defaults.
func TestDefaultsOf(t *testing.T) {
	text, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`k8s.io/apiserver v0\.(\d+)\.`).FindSubmatch(text)
	if version == nil || defaultsOf != "Kubernetes 1."+string(version[1]) {
		t.Errorf("messages speak of %s, go.mod has k8s.io/apiserver %s", defaultsOf, version)
	}
}
