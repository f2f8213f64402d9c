// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
	"k8s.io/apiserver/pkg/authentication/user"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// defaults are the mandatory and suggested objects of a new cluster.
func defaults() ([]*flowcontrolv1.PriorityLevelConfiguration, []*flowcontrolv1.FlowSchema) {
	return slices.Concat(bootstrap.MandatoryPriorityLevelConfigurations, bootstrap.SuggestedPriorityLevelConfigurations),
		slices.Concat(bootstrap.MandatoryFlowSchemas, bootstrap.SuggestedFlowSchemas)
}

func resource(verb, group, name, namespace string) *slo.ClassifiedRequest {
	return &slo.ClassifiedRequest{ResourceAttributes: &slo.ClassifiedResource{Verb: verb, Group: group, Resource: name, Namespace: namespace}}
}

func path(verb, p string) *slo.ClassifiedRequest {
	return &slo.ClassifiedRequest{NonResourceAttributes: &slo.ClassifiedPath{Verb: verb, Path: p}}
}

// ofDefault has a request of each flow schema of a new cluster.
var ofDefault = []struct {
	schema, level string
	caller        user.Info
	request       *slo.ClassifiedRequest
}{
	{"exempt", "exempt", Caller("admin", []string{"system:masters"}), resource("list", "", "pods", "")},
	{"probes", "exempt", Caller("system:anonymous", nil), path("get", "/livez")},
	{"system-leader-election", "leader-election", Caller("system:kube-scheduler", nil), resource("update", "coordination.k8s.io", "leases", "kube-system")},
	{"system-node-high", "node-high", Caller("system:node:a", []string{"system:nodes"}), &slo.ClassifiedRequest{
		ResourceAttributes: &slo.ClassifiedResource{Verb: "patch", Resource: "nodes", Subresource: "status", Name: "a"},
	}},
	{"system-nodes", "system", Caller("system:node:a", []string{"system:nodes"}), resource("list", "", "pods", "")},
	{"kube-controller-manager", "workload-high", Caller("system:kube-controller-manager", nil), resource("list", "", "pods", "")},
	{"kube-scheduler", "workload-high", Caller("system:kube-scheduler", nil), resource("watch", "", "pods", "")},
	{"kube-system-service-accounts", "workload-high", Caller("system:serviceaccount:kube-system:a", nil), resource("list", "", "pods", "")},
	{"service-accounts", "workload-low", Caller("system:serviceaccount:shop:cart", nil), resource("list", "", "configmaps", "shop")},
	{"global-default", "global-default", Caller("alice", nil), resource("get", "", "pods", "shop")},
	{"global-default", "global-default", Caller("system:anonymous", nil), path("get", "/version")},
	{"catch-all", "catch-all", &user.DefaultInfo{Name: "of-no-group"}, path("get", "/version")},
}

func TestDefaultSchemas(t *testing.T) {
	levels, schemas := defaults()
	o, c := newOracle(t, levels, schemas), NewConfiguration(levels, schemas)
	words := map[slo.Treatment]string{slo.TreatmentExempt: "is exempt", slo.TreatmentQueue: " queues ", slo.TreatmentReject: " rejects "}
	missing := map[string]bool{}
	for _, s := range schemas {
		missing[s.Name] = true
	}
	for _, tc := range ofDefault {
		delete(missing, tc.schema)
		got := o.compare(t, c, tc.caller, tc.request)
		if got.FlowSchema.Name != tc.schema || got.PriorityLevel.Name != tc.level {
			t.Errorf("%s: schema %s, level %s: %s", tc.schema, got.FlowSchema.Name, got.PriorityLevel.Name, got.Reason)
		}
		if !strings.Contains(got.Reason, words[got.Treatment]) {
			t.Errorf("%s: %s", got.Treatment, got.Reason)
		}
		o.compareQueue(t, tc.caller, tc.request, got)
	}
	if len(missing) > 0 {
		t.Errorf("no request of %v", missing)
	}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		o.compare(t, c, randomCaller(r), randomRequest(r))
	}
}

// A schema whose level is gone or broken is passed over: its requests go on.
func TestPassedOver(t *testing.T) {
	levels, schemas := defaults()
	everybody := schemas[slices.IndexFunc(schemas, func(s *flowcontrolv1.FlowSchema) bool { return s.Name == "global-default" })].Spec.Rules
	levels = append(levels, newLimited("broken", &flowcontrolv1.QueuingConfiguration{Queues: 1, HandSize: 2, QueueLengthLimit: 1}))
	schemas = append(schemas,
		newSchema("a", 100, "nowhere", everybody[0], everybody[0]), newSchema("b", 200, "broken", everybody...), newSchema("z", 9990, "nowhere", everybody...))
	got, err := NewConfiguration(levels, schemas).Classify(t.Context(), Caller("alice", nil), resource("get", "", "pods", "a"), noHeadrooms)
	if err != nil {
		t.Fatal(err)
	}
	want := []slo.PassedOverFlowSchema{
		{Name: "a", MatchingPrecedence: 100, PriorityLevel: "nowhere", Problem: `there is no PriorityLevelConfiguration "nowhere"`},
		{Name: "b", MatchingPrecedence: 200, PriorityLevel: "broken", Problem: `PriorityLevelConfiguration "broken" is broken: limitResponse.queuing: handSize 2 is greater than deckSize 1`},
	}
	if diff := cmp.Diff(want, got.PassedOver); diff != "" || got.FlowSchema.Name != "global-default" {
		t.Errorf("schema %s, passed over (-want +got):\n%s", got.FlowSchema.Name, diff)
	}
	if !strings.Contains(got.Reason, "2 before it are passed over") {
		t.Error(got.Reason)
	}
}

// Before a cluster's objects are there, and when somebody has deleted them, a
// kube-apiserver has the mandatory ones all the same.
func TestWithoutObjects(t *testing.T) {
	c := NewConfiguration(nil, nil)
	for caller, want := range map[user.Info]slo.Treatment{
		Caller("admin", []string{"system:masters"}): slo.TreatmentExempt,
		Caller("alice", nil):                        slo.TreatmentReject,
	} {
		got, err := c.Classify(t.Context(), caller, path("get", "/version"), noHeadrooms)
		if err != nil || got.Treatment != want || got.FlowSchema.UID != "" || got.PriorityLevel.UID != "" {
			t.Errorf("%v: %+v, %v", caller, got, err)
		}
	}
}

// Levels that are broken in each of the ways that a kube-apiserver looks for.
func TestBrokenLevels(t *testing.T) {
	type level = flowcontrolv1.PriorityLevelConfiguration
	for _, tc := range []struct {
		problem string
		change  func(*level)
	}{
		{"", func(*level) {}},
		{"", func(l *level) { l.Name, l.Spec.Type, l.Spec.Limited = "exempt", "Exempt", nil }},
		{"type Limited does not go", func(l *level) { l.Spec.Limited = nil }},
		{"type Limited does not go", func(l *level) { l.Spec.Exempt = &flowcontrolv1.ExemptPriorityLevelConfiguration{} }},
		{`type "" is none`, func(l *level) { l.Spec.Type, l.Spec.Limited = "", nil }},
		{"type Exempt is not for this name", func(l *level) { l.Spec.Type, l.Spec.Limited = "Exempt", nil }},
		{"type Limited is not for this name", func(l *level) { l.Name = "exempt" }},
		{"limitResponse.type Queue does not go", func(l *level) { l.Spec.Limited.LimitResponse.Queuing = nil }},
		{"limitResponse.queuing: ", func(l *level) { l.Spec.Limited.LimitResponse.Queuing.HandSize = 9 }},
	} {
		l := newLimited("a", &flowcontrolv1.QueuingConfiguration{Queues: 8, HandSize: 2, QueueLengthLimit: 1})
		tc.change(l)
		_, err := newLevel(l)
		if (tc.problem == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.problem) {
			t.Errorf("want the problem %q: %v", tc.problem, err)
		}
	}
}

func TestCaller(t *testing.T) {
	for _, tc := range []struct {
		name   string
		groups []string
		want   []string
	}{
		{"alice", nil, []string{"system:authenticated"}},
		{"alice", []string{"dev"}, []string{"dev", "system:authenticated"}},
		{"alice", []string{"system:unauthenticated"}, []string{"system:unauthenticated"}},
		{"system:anonymous", nil, []string{"system:unauthenticated"}},
		{"system:serviceaccount:shop:cart", nil, []string{"system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"}},
		{"system:serviceaccount:shop:cart", []string{"dev"}, []string{"dev", "system:authenticated"}},
	} {
		given := slices.Clone(tc.groups)
		if got := Caller(tc.name, tc.groups); got.GetName() != tc.name || !slices.Equal(got.GetGroups(), tc.want) || !slices.Equal(given, tc.groups) {
			t.Errorf("%s %v: %v, want %v", tc.name, tc.groups, got.GetGroups(), tc.want)
		}
	}
}

// Only requests that are executed at length without a watch's beginning and end.
func TestLongRunning(t *testing.T) {
	levels, schemas := defaults()
	c := NewConfiguration(levels, schemas)
	sub := func(verb, resource, subresource string) *slo.ClassifiedRequest {
		return &slo.ClassifiedRequest{ResourceAttributes: &slo.ClassifiedResource{Verb: verb, Resource: resource, Subresource: subresource, Namespace: "a"}}
	}
	for _, tc := range []struct {
		request *slo.ClassifiedRequest
		want    bool
	}{
		{sub("get", "pods", "log"), true},
		{sub("create", "pods", "exec"), true},
		{sub("get", "services", "proxy"), true},
		{path("get", "/debug/pprof/heap"), true},
		{sub("watch", "pods", ""), false},
		{sub("create", "pods", "eviction"), false},
		{path("get", "/debug/flags/v"), false},
	} {
		got, err := c.Classify(t.Context(), Caller("alice", nil), tc.request, noHeadrooms)
		if err != nil {
			t.Fatal(err)
		}
		if is := got.Treatment == slo.TreatmentLongRunning; is != tc.want || is == (got.FlowSchema != nil) || is == (got.Width != nil) {
			t.Errorf("%+v: %+v", tc.request, got)
		}
	}
}

// The path is that of the request line, as it is: nothing in it is a host or a query
// (the server reads it with url.ParseRequestURI).
func TestPathIsTakenAsItIs(t *testing.T) {
	for _, p := range []string{"/", "/livez", "//", "//livez", "//x/livez", "/livez/", "/a%2Fb", "/a b", "/readyz?verbose"} {
		req, info, err := newRequest(t.Context(), path("get", p))
		if err != nil || info.Path != p || info.Verb != "get" || info.IsResourceRequest || req.URL.RawQuery != "" {
			t.Errorf("%q is classified as %+v, %v", p, info, err)
		}
	}
}

// A list of one name is one whatever the name: a kube-apiserver finds it in the
// field selector, where the options may have more.
func TestListOfOneName(t *testing.T) {
	for _, name := range []string{"a", "a,b", "a=b", "a!=b", `a\b`, "system:node", "a&b", "a b"} {
		for _, verb := range []string{"list", "watch"} {
			for _, options := range []*slo.ClassifiedListOptions{nil, {FieldSelector: "spec.nodeName=c"}} {
				_, info, err := newRequest(t.Context(), &slo.ClassifiedRequest{ResourceAttributes: &slo.ClassifiedResource{
					Verb: verb, Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Name: name, Options: options,
				}})
				if err != nil || info.Name != name {
					t.Errorf("%s of %q: %+v, %v", verb, name, info, err)
				}
			}
		}
	}
}

// A namespace is within itself: a rule for the namespace a has the request for it.
func TestANamespaceIsWithinItself(t *testing.T) {
	in := newSchema("in-a", 1, "catch-all", flowcontrolv1.PolicyRulesWithSubjects{
		Subjects:      []flowcontrolv1.Subject{{Kind: flowcontrolv1.SubjectKindGroup, Group: &flowcontrolv1.GroupSubject{Name: "*"}}},
		ResourceRules: []flowcontrolv1.ResourcePolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, Namespaces: []string{"a"}}},
	})
	levels, schemas := defaults()
	c := NewConfiguration(levels, append(schemas, in))
	for _, tc := range []struct{ verb, name, want string }{
		{"get", "a", "in-a"}, {"delete", "a", "in-a"}, {"get", "b", "global-default"}, {"list", "", "global-default"}, {"create", "", "global-default"},
	} {
		got, err := c.Classify(t.Context(), Caller("alice", nil), &slo.ClassifiedRequest{
			ResourceAttributes: &slo.ClassifiedResource{Verb: tc.verb, Resource: "namespaces", Name: tc.name},
		}, noHeadrooms)
		if err != nil || got.FlowSchema.Name != tc.want {
			t.Errorf("%s %s: %+v, %v, want %s", tc.verb, tc.name, got, err, tc.want)
		}
	}
}

func TestNoSuchRequest(t *testing.T) {
	c := NewConfiguration(nil, nil)
	for _, r := range []*slo.ClassifiedRequest{
		resource("get", "", "proxy", ""), resource("bind", "", "roles", ""), resource("list", "", "a/b", ""),
	} {
		if got, err := c.Classify(t.Context(), Caller("alice", nil), r, noHeadrooms); err == nil {
			t.Errorf("%+v: %+v", r.ResourceAttributes, got)
		}
	}
}

func TestHeadroomIsThatOfTheLevel(t *testing.T) {
	levels, schemas := defaults()
	c := NewConfiguration(levels, schemas)
	limit, free, nominal, reachable, queued := int64(245), int64(-9), int64(4), int64(90), int64(10)
	got, err := c.Classify(t.Context(), Caller("system:serviceaccount:shop:cart", nil), resource("get", "", "pods", "shop"), func(level string) (*slo.APFHeadroom, error) {
		return &slo.APFHeadroom{Status: slo.APFHeadroomStatus{Pressure: slo.PressureQueueing, Worst: &slo.InstanceSeats{
			Instance: level + "@10.0.0.1:6443", Seats: slo.Seats{
				CurrentLimitSeats: &limit, HeadroomSeats: &free, NominalHeadroomSeats: &nominal, ReachableHeadroomSeats: &reachable, QueuedRequests: &queued,
			},
		}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &slo.LevelHeadroom{
		Pressure: slo.PressureQueueing, Instance: "workload-low@10.0.0.1:6443", CurrentLimitSeats: &limit,
		HeadroomSeats: &free, NominalHeadroomSeats: &nominal, ReachableHeadroomSeats: &reachable, QueuedRequests: &queued,
	}
	if diff := cmp.Diff(want, got.Headroom); diff != "" || got.HeadroomProblem != "" {
		t.Errorf("problem %q (-want +got):\n%s", got.HeadroomProblem, diff)
	}
	got, err = c.Classify(t.Context(), Caller("alice", nil), path("get", "/version"), noHeadrooms)
	if err != nil || got.Headroom != nil || got.HeadroomProblem != errNoHeadroom.Error() {
		t.Errorf("%+v, %v", got, err)
	}
}
