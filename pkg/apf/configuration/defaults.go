// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
)

// defaultsOf is the version whose defaults objects are compared with: that of the
// module k8s.io/apiserver.
const defaultsOf = "Kubernetes 1.37"

// defaultShares of kubernetes pkg/apis/flowcontrol/v1/defaults.go, for objects that did
// not come out of an API server.
const defaultShares int32 = 30

// field of a spec, as text. The value of an absent field is "".
type field struct{ name, value string }

// changed finds the objects that differ from the defaults and should not, or are told
// to stay as they are. Of the priority level exempt an operator may change all there
// is but its type (kubernetes pkg/registry/flowcontrol/ensurer plcSpecEqualish).
func changed(levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) []finding {
	var findings []finding
	for _, level := range levels {
		mandatory := levelNamed(bootstrap.MandatoryPriorityLevelConfigurations, level.Name)
		suggested := levelNamed(bootstrap.SuggestedPriorityLevelConfigurations, level.Name)
		switch {
		case mandatory != nil && mandatory.Spec.Type == level.Spec.Type && level.Spec.Type == flowcontrolv1.PriorityLevelEnablementExempt:
		case mandatory != nil:
			findings = append(findings, mandatoryChanged(level.Name, "priority level "+level.Name, differences(levelFields(mandatory), levelFields(level)))...)
		case suggested != nil && leftAlone(level.Annotations):
			findings = append(findings, differs(level.Name, "priority level "+level.Name, differences(levelFields(suggested), levelFields(level)))...)
		}
	}
	for _, schema := range schemas {
		mandatory := schemaNamed(bootstrap.MandatoryFlowSchemas, schema.Name)
		suggested := schemaNamed(bootstrap.SuggestedFlowSchemas, schema.Name)
		switch {
		case mandatory != nil:
			findings = append(findings, mandatoryChanged(levelOf(mandatory), "flow schema "+schema.Name, schemaDifferences(mandatory, schema))...)
		case suggested != nil && leftAlone(schema.Annotations):
			findings = append(findings, differs(levelOf(schema), "flow schema "+schema.Name, schemaDifferences(suggested, schema))...)
		}
	}
	return findings
}

func mandatoryChanged(level, what string, differences []string) []finding {
	if len(differences) == 0 {
		return nil
	}
	return []finding{{level, ReasonMandatoryObjectChanged, fmt.Sprintf(
		"the mandatory %s is not that of %s, though kube-apiservers restore it every minute: %s", what, defaultsOf, strings.Join(differences, ", "))}}
}

func differs(level, what string, differences []string) []finding {
	if len(differences) == 0 {
		return nil
	}
	return []finding{{level, ReasonDiffersFromDefaults, fmt.Sprintf(
		"%s differs from that of %s, and %s=false keeps it so: %s", what, defaultsOf, flowcontrolv1.AutoUpdateAnnotationKey, strings.Join(differences, ", "))}}
}

// leftAlone says that kube-apiservers were told not to update an object. Without the
// annotation they decide by its generation, and add it.
func leftAlone(annotations map[string]string) bool {
	return annotations[flowcontrolv1.AutoUpdateAnnotationKey] == "false"
}

func levelNamed(levels []*flowcontrolv1.PriorityLevelConfiguration, name string) *flowcontrolv1.PriorityLevelConfiguration {
	if i := slices.IndexFunc(levels, func(l *flowcontrolv1.PriorityLevelConfiguration) bool { return l.Name == name }); i >= 0 {
		return levels[i]
	}
	return nil
}

func schemaNamed(schemas []*flowcontrolv1.FlowSchema, name string) *flowcontrolv1.FlowSchema {
	if i := slices.IndexFunc(schemas, func(s *flowcontrolv1.FlowSchema) bool { return s.Name == name }); i >= 0 {
		return schemas[i]
	}
	return nil
}

// levelFields are always the same, in the same order.
func levelFields(level *flowcontrolv1.PriorityLevelConfiguration) []field {
	limited := level.Spec.Limited
	if limited == nil {
		limited = &flowcontrolv1.LimitedPriorityLevelConfiguration{}
	}
	queuing := limited.LimitResponse.Queuing
	if queuing == nil {
		queuing = &flowcontrolv1.QueuingConfiguration{}
	}
	return []field{
		{"type", string(level.Spec.Type)},
		{"nominalConcurrencyShares", number(cmp.Or(limited.NominalConcurrencyShares, new(defaultShares)))},
		{"lendablePercent", number(cmp.Or(limited.LendablePercent, new(int32(0))))},
		{"borrowingLimitPercent", number(limited.BorrowingLimitPercent)},
		{"limitResponse", string(limited.LimitResponse.Type)},
		{"queues", number(&queuing.Queues)},
		{"handSize", number(&queuing.HandSize)},
		{"queueLengthLimit", number(&queuing.QueueLengthLimit)},
	}
}

func schemaDifferences(before, after *flowcontrolv1.FlowSchema) []string {
	found := differences(schemaFields(before), schemaFields(after))
	// Nil and empty lists are the same, as for the kube-apiserver.
	if !equality.Semantic.DeepEqual(before.Spec.Rules, after.Spec.Rules) {
		found = append(found, "other rules")
	}
	return found
}

func schemaFields(schema *flowcontrolv1.FlowSchema) []field {
	method := ""
	if d := schema.Spec.DistinguisherMethod; d != nil {
		method = string(d.Type)
	}
	return []field{
		{"priorityLevelConfiguration", levelOf(schema)},
		{"matchingPrecedence", number(&schema.Spec.MatchingPrecedence)},
		{"distinguisherMethod", method},
	}
}

// differences between fields in the same order: "queues 64, not 128".
func differences(before, after []field) []string {
	var found []string
	for i, b := range before {
		if a := after[i]; a != b {
			found = append(found, fmt.Sprintf("%s %s, not %s", a.name, value(a), value(b)))
		}
	}
	return found
}

func value(f field) string {
	if f.value == "" {
		return "none"
	}
	return f.value
}

func number(n *int32) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}
