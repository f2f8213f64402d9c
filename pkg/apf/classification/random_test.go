// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
	"k8s.io/apiserver/pkg/authentication/user"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

var errNoHeadroom = errors.New("no headroom")

// levelThere is a level of every random configuration.
const levelThere = "there"

// Small sets of words, so that rules and requests meet, with some that are
// prefixes of others.
var (
	someUsers      = []string{"alice", "bob", "system:anonymous", "system:serviceaccount:a:one", "system:serviceaccount:a:two", "system:serviceaccount:ab:one", "system:serviceaccount:a:one:more"}
	someGroups     = []string{"dev", "ops", "system:masters", "system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:serviceaccounts:a"}
	someVerbs      = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
	someAPIGroups  = []string{"", "apps", "coordination.k8s.io"}
	someResources  = []string{"pods", "deployments", "leases", "namespaces", "nodes"}
	subresources   = []string{"", "", "", "status", "finalize", "log", "exec", "scale"}
	someNamespaces = []string{"", "a", "ab", "kube-system"}
	somePathVerbs  = []string{"get", "head", "post", "put"}
	somePaths      = []string{"/", "/healthz", "/healthz/etcd", "/healthzz", "/livez", "/apis", "/apis/apps/v1", "/api/v1", "/debug/pprof/heap", "/metrics/"}
	someURLs       = []string{"/", "/healthz", "/healthz/", "/healthz/*", "/healthz*", "/livez", "/apis", "/api/*", "/metrics"}
)

func pick(r *rand.Rand, words []string) string { return words[r.IntN(len(words))] }

// some picks a few words, or the wildcard alone, or, which validation would not
// let pass and means nothing, the wildcard with others.
func some(r *rand.Rand, words []string) []string {
	list := []string{}
	switch r.IntN(12) {
	case 0, 1, 2:
		return []string{"*"}
	case 3:
		list = append(list, "*")
	}
	for range 1 + r.IntN(3) {
		list = append(list, pick(r, words))
	}
	return list
}

func randomSubject(r *rand.Rand) flowcontrolv1.Subject {
	switch r.IntN(3) {
	case 0:
		return flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindUser, User: &flowcontrolv1.UserSubject{Name: pick(r, append([]string{"*"}, someUsers...))}}
	case 1:
		return flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindGroup, Group: &flowcontrolv1.GroupSubject{Name: pick(r, append([]string{"*"}, someGroups...))}}
	default:
		return flowcontrolv1.Subject{Kind: flowcontrolv1.SubjectKindServiceAccount, ServiceAccount: &flowcontrolv1.ServiceAccountSubject{
			Namespace: pick(r, []string{"a", "ab"}), Name: pick(r, []string{"*", "one", "two"}),
		}}
	}
}

func randomRule(r *rand.Rand) (rule flowcontrolv1.PolicyRulesWithSubjects) {
	for range 1 + r.IntN(2) {
		rule.Subjects = append(rule.Subjects, randomSubject(r))
	}
	for range r.IntN(3) {
		resources := some(r, someResources)
		for i := range resources {
			if s := pick(r, subresources); s != "" && resources[i] != "*" {
				resources[i] += "/" + s
			}
		}
		rule.ResourceRules = append(rule.ResourceRules, flowcontrolv1.ResourcePolicyRule{
			Verbs: some(r, someVerbs), APIGroups: some(r, someAPIGroups), Resources: resources,
			ClusterScope: r.IntN(2) == 0, Namespaces: some(r, someNamespaces[1:]),
		})
	}
	for range r.IntN(3) {
		rule.NonResourceRules = append(rule.NonResourceRules, flowcontrolv1.NonResourcePolicyRule{Verbs: some(r, somePathVerbs), NonResourceURLs: some(r, someURLs)})
	}
	return rule
}

func newSchema(name string, precedence int32, level string, rules ...flowcontrolv1.PolicyRulesWithSubjects) *flowcontrolv1.FlowSchema {
	return &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: flowcontrolv1.FlowSchemaSpec{
		PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: level},
		MatchingPrecedence:         precedence, Rules: rules,
	}}
}

func newLimited(name string, queuing *flowcontrolv1.QueuingConfiguration) *flowcontrolv1.PriorityLevelConfiguration {
	shares := int32(30)
	l := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}}
	l.Spec.Type = flowcontrolv1.PriorityLevelEnablementLimited
	l.Spec.Limited = &flowcontrolv1.LimitedPriorityLevelConfiguration{
		NominalConcurrencyShares: &shares,
		LimitResponse:            flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject},
	}
	if queuing != nil {
		l.Spec.Limited.LimitResponse = flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeQueue, Queuing: queuing}
	}
	return l
}

// randomConfiguration has flow schemas of few precedences, so that names decide
// too, some that refer to levels that are missing or broken, and sometimes lacks
// mandatory objects.
func randomConfiguration(r *rand.Rand) (levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) {
	broken := newLimited("broken", &flowcontrolv1.QueuingConfiguration{Queues: 2, HandSize: 3, QueueLengthLimit: 1})
	levels = append(levels, broken,
		newLimited(levelThere, &flowcontrolv1.QueuingConfiguration{Queues: 64, HandSize: 1 + r.Int32N(8), QueueLengthLimit: 50}),
		newLimited("one-queue", &flowcontrolv1.QueuingConfiguration{Queues: 1, HandSize: 1, QueueLengthLimit: 50}),
		newLimited("rejecting", nil))
	for _, mandatory := range bootstrap.MandatoryPriorityLevelConfigurations {
		if r.IntN(4) > 0 {
			levels = append(levels, mandatory)
		}
	}
	for _, mandatory := range bootstrap.MandatoryFlowSchemas {
		if r.IntN(4) > 0 {
			schemas = append(schemas, mandatory)
		}
	}
	methods := []*flowcontrolv1.FlowDistinguisherMethod{nil, {Type: flowcontrolv1.FlowDistinguisherMethodByUserType}, {Type: flowcontrolv1.FlowDistinguisherMethodByNamespaceType}}
	names := []string{levelThere, levelThere, "one-queue", "rejecting", "broken", "missing", flowcontrolv1.PriorityLevelConfigurationNameExempt, flowcontrolv1.PriorityLevelConfigurationNameCatchAll}
	for i := range 8 {
		s := newSchema(fmt.Sprintf("s%c%d", 'a'+rune(r.IntN(26)), i), 1+r.Int32N(4), pick(r, names))
		s.Spec.DistinguisherMethod = methods[r.IntN(len(methods))]
		for range 1 + r.IntN(3) {
			s.Spec.Rules = append(s.Spec.Rules, randomRule(r))
		}
		schemas = append(schemas, s)
	}
	r.Shuffle(len(schemas), func(i, j int) { schemas[i], schemas[j] = schemas[j], schemas[i] })
	return levels, schemas
}

func randomCaller(r *rand.Rand) user.Info {
	if r.IntN(10) == 0 {
		return &user.DefaultInfo{Name: "of-no-group"} // falls through to catch-all, which authentication rules out
	}
	groups := []string{}
	for range r.IntN(3) {
		groups = append(groups, pick(r, someGroups))
	}
	return Caller(pick(r, someUsers), groups)
}

func randomRequest(r *rand.Rand) *slo.ClassifiedRequest {
	if r.IntN(3) == 0 {
		return &slo.ClassifiedRequest{NonResourceAttributes: &slo.ClassifiedPath{Verb: pick(r, somePathVerbs), Path: pick(r, somePaths)}}
	}
	resource := &slo.ClassifiedResource{
		Verb: pick(r, someVerbs), Group: pick(r, someAPIGroups), Resource: pick(r, someResources), Namespace: pick(r, someNamespaces),
	}
	if resource.Verb != "list" && resource.Verb != "watch" && resource.Verb != "deletecollection" {
		resource.Subresource = pick(r, subresources)
	}
	if resource.Resource == "namespaces" {
		resource.Name, resource.Namespace = pick(r, someNamespaces[1:]), ""
		if resource.Subresource != "" {
			resource.Subresource = "finalize"
		}
	}
	return &slo.ClassifiedRequest{ResourceAttributes: resource}
}

// Random requests under random rules: the kube-apiserver's own controller finds
// the same flow schema, level and flow, and one of the queues of the hand.
func TestRandomRules(t *testing.T) {
	treatments, schemasSeen, passedOver, byNone := map[slo.Treatment]int{}, 0, 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 37))
		levels, schemas := randomConfiguration(r)
		o := newOracle(t, levels, schemas)
		c := NewConfiguration(levels, schemas)
		for i := range 250 {
			caller, request := randomCaller(r), randomRequest(r)
			got := o.compare(t, c, caller, request)
			treatments[got.Treatment]++
			passedOver += len(got.PassedOver)
			if got.FlowSchema == nil {
				continue
			}
			if got.FlowSchema.RuleIndex == nil {
				byNone++
			} else if got.FlowSchema.Name[0] == 's' {
				schemasSeen++
			}
			if i%10 == 0 {
				o.compareQueue(t, caller, request, got)
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
	// The proof is worth what it has met.
	t.Logf("%v; %d by random schemas, %d passed over, %d by no schema", treatments, schemasSeen, passedOver, byNone)
	for _, treatment := range []slo.Treatment{slo.TreatmentExempt, slo.TreatmentQueue, slo.TreatmentReject, slo.TreatmentLongRunning} {
		if treatments[treatment] < 100 {
			t.Errorf("%d requests with treatment %s", treatments[treatment], treatment)
		}
	}
	if schemasSeen < 1000 || passedOver < 100 || byNone < 100 {
		t.Error("too few of a kind")
	}
}
