// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/tools/cache"
)

// object of a YAML text, as the dynamic client decodes it.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	encoded, err := yaml.ToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	return u
}

func limited(shares int32, lendable, borrowing *int32) flowcontrolv1.PriorityLevelConfigurationSpec {
	return flowcontrolv1.PriorityLevelConfigurationSpec{
		Type: flowcontrolv1.PriorityLevelEnablementLimited,
		Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{
			NominalConcurrencyShares: &shares, LendablePercent: lendable, BorrowingLimitPercent: borrowing,
			LimitResponse: flowcontrolv1.LimitResponse{
				Type:    flowcontrolv1.LimitResponseTypeQueue,
				Queuing: &flowcontrolv1.QueuingConfiguration{Queues: 128, HandSize: 6, QueueLengthLimit: 50},
			},
		},
	}
}

func TestConvertLevel(t *testing.T) {
	const preserve = ", annotations: {flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares: ''}"
	const queue = "limitResponse: {type: Queue, queuing: {queues: 128, handSize: 6, queueLengthLimit: 50}}"
	for name, c := range map[string]struct {
		version, annotations, spec string
		want                       flowcontrolv1.PriorityLevelConfigurationSpec
	}{
		// 1.23 to 1.25: nothing is lent, and the shares have another name.
		"v1beta2":              {"v1beta2", "", "type: Limited, limited: {assuredConcurrencyShares: 100, " + queue + "}", limited(100, nil, nil)},
		"v1beta2 that lends":   {"v1beta2", "", "type: Limited, limited: {assuredConcurrencyShares: 100, lendablePercent: 90, borrowingLimitPercent: 50, " + queue + "}", limited(100, new(int32(90)), new(int32(50)))},
		"v1beta2, not given":   {"v1beta2", "", "type: Limited, limited: {" + queue + "}", limited(30, nil, nil)},
		"v1beta3":              {"v1beta3", "", "type: Limited, limited: {nominalConcurrencyShares: 100, lendablePercent: 90, " + queue + "}", limited(100, new(int32(90)), nil)},
		"v1beta3, zero":        {"v1beta3", "", "type: Limited, limited: {nominalConcurrencyShares: 0, lendablePercent: 0, " + queue + "}", limited(30, new(int32(0)), nil)},
		"v1beta3, zero meant":  {"v1beta3", preserve, "type: Limited, limited: {nominalConcurrencyShares: 0, lendablePercent: 0, " + queue + "}", limited(0, new(int32(0)), nil)},
		"v1beta3, not zero":    {"v1beta3", preserve, "type: Limited, limited: {nominalConcurrencyShares: 7, lendablePercent: 0, " + queue + "}", limited(7, new(int32(0)), nil)},
		"v1, zero":             {"v1", "", "type: Limited, limited: {nominalConcurrencyShares: 0, lendablePercent: 0, " + queue + "}", limited(0, new(int32(0)), nil)},
		"v1beta2, exempt":      {"v1beta2", "", "type: Exempt", flowcontrolv1.PriorityLevelConfigurationSpec{Type: flowcontrolv1.PriorityLevelEnablementExempt}},
		"v1beta3, exempt zero": {"v1beta3", "", "type: Exempt, exempt: {nominalConcurrencyShares: 0, lendablePercent: 0}", exempt(0, 0)},
		"v1, exempt":           {"v1", "", "type: Exempt, exempt: {nominalConcurrencyShares: 10, lendablePercent: 5}", exempt(10, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			u := object(t, "apiVersion: flowcontrol.apiserver.k8s.io/"+c.version+"\nkind: PriorityLevelConfiguration\n"+
				"metadata: {name: a, uid: u, resourceVersion: '7', managedFields: [{manager: m}]"+c.annotations+"}\nspec: {"+c.spec+"}\n")
			before := u.DeepCopy()
			got, err := convertLevel(u)
			if err != nil {
				t.Fatal(err)
			}
			want := &flowcontrolv1.PriorityLevelConfiguration{
				ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7", Annotations: u.GetAnnotations()}, Spec: c.want,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, u); diff != "" {
				t.Errorf("the object of the client was changed: %s", diff)
			}
			if again, err := convertLevel(got); err != nil || again != got {
				t.Errorf("converted twice: %v, %v", again, err)
			}
		})
	}
}

func exempt(shares, lendable int32) flowcontrolv1.PriorityLevelConfigurationSpec {
	return flowcontrolv1.PriorityLevelConfigurationSpec{
		Type:   flowcontrolv1.PriorityLevelEnablementExempt,
		Exempt: &flowcontrolv1.ExemptPriorityLevelConfiguration{NominalConcurrencyShares: &shares, LendablePercent: &lendable},
	}
}

func TestConvertSchema(t *testing.T) {
	want := &flowcontrolv1.FlowSchema{
		ObjectMeta: metav1.ObjectMeta{Name: "service-accounts"},
		Spec: flowcontrolv1.FlowSchemaSpec{
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "workload-low"},
			MatchingPrecedence:         9000,
			DistinguisherMethod:        &flowcontrolv1.FlowDistinguisherMethod{Type: flowcontrolv1.FlowDistinguisherMethodByUserType},
			Rules: []flowcontrolv1.PolicyRulesWithSubjects{{
				Subjects:         []flowcontrolv1.Subject{{Kind: flowcontrolv1.SubjectKindGroup, Group: &flowcontrolv1.GroupSubject{Name: "system:serviceaccounts"}}},
				NonResourceRules: []flowcontrolv1.NonResourcePolicyRule{{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}}},
				ResourceRules: []flowcontrolv1.ResourcePolicyRule{{
					Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, Namespaces: []string{"*"}, ClusterScope: true,
				}},
			}},
		},
		Status: flowcontrolv1.FlowSchemaStatus{Conditions: []flowcontrolv1.FlowSchemaCondition{{
			Type: flowcontrolv1.FlowSchemaConditionDangling, Status: flowcontrolv1.ConditionFalse, Reason: "Found",
		}}},
	}
	for _, version := range flowControlVersions {
		got, err := convertSchema(object(t, "apiVersion: flowcontrol.apiserver.k8s.io/"+version+`
kind: FlowSchema
metadata: {name: service-accounts, managedFields: [{manager: m}]}
spec:
  priorityLevelConfiguration: {name: workload-low}
  matchingPrecedence: 9000
  distinguisherMethod: {type: ByUser}
  rules:
  - subjects: [{kind: Group, group: {name: "system:serviceaccounts"}}]
    nonResourceRules: [{verbs: ["*"], nonResourceURLs: ["*"]}]
    resourceRules: [{verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true}]
status:
  conditions: [{type: Dangling, status: "False", reason: Found, lastTransitionTime: null}]
`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
		if again, err := convertSchema(got); err != nil || again != got {
			t.Errorf("%s, converted twice: %v, %v", version, again, err)
		}
	}
}

// An object that makes no sense is named, and what is no object passes.
func TestConvertOther(t *testing.T) {
	head := "apiVersion: flowcontrol.apiserver.k8s.io/v1beta2\nmetadata: {name: odd}\n"
	for text, convert := range map[string]cache.TransformFunc{
		head + "kind: PriorityLevelConfiguration\nspec: {limited: many}":                             convertLevel,
		head + "kind: PriorityLevelConfiguration\nspec: {limited: {assuredConcurrencyShares: many}}": convertLevel,
		head + "kind: PriorityLevelConfiguration\nspec: {type: [Limited]}":                           convertLevel,
		head + "kind: FlowSchema\nspec: {matchingPrecedence: first}":                                 convertSchema,
	} {
		if got, err := convert(object(t, text)); err == nil || !strings.Contains(err.Error(), "odd in flowcontrol.apiserver.k8s.io/v1beta2") {
			t.Errorf("%s: %v, %v, want an error with the name", text, got, err)
		}
	}
	for _, convert := range []cache.TransformFunc{convertLevel, convertSchema} {
		tombstone := cache.DeletedFinalStateUnknown{Key: "a"}
		if got, err := convert(tombstone); err != nil || got != tombstone {
			t.Errorf("a tombstone became %v, %v", got, err)
		}
	}
}
