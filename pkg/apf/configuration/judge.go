// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package configuration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Reasons of the condition ConfigurationSound. Where there are several findings, the
// reason is that of the gravest, and the message has all.
const (
	// ReasonFlowSchemaDangling says that a flow schema is ignored, because its
	// priority level does not exist or is broken. Status False.
	ReasonFlowSchemaDangling = "FlowSchemaDangling"
	// ReasonMandatoryObjectChanged says that an object differs which kube-apiservers
	// insist on: somebody changes it again and again. Status False.
	ReasonMandatoryObjectChanged = "MandatoryObjectChanged"
	// ReasonFlowSchemaShadowed says that no request reaches a flow schema, because
	// earlier ones take them all. Status False.
	ReasonFlowSchemaShadowed = "FlowSchemaShadowed"
	// ReasonFlowSchemaNotJudged says that it is not known whether a request reaches a
	// flow schema: there is too much to compare. Status Unknown.
	ReasonFlowSchemaNotJudged = "FlowSchemaNotJudged"
	// ReasonDiffersFromDefaults says that a suggested object was changed, and is kept
	// so. Status True.
	ReasonDiffersFromDefaults = "DiffersFromDefaults"
	// ReasonNoFindings says that nothing was found. Status True.
	ReasonNoFindings = "NoFindings"
)

// byGravity are the reasons for which there is a finding, the gravest first.
var byGravity = []string{
	ReasonFlowSchemaDangling, ReasonMandatoryObjectChanged, ReasonFlowSchemaShadowed, ReasonFlowSchemaNotJudged, ReasonDiffersFromDefaults,
}

// finding is one thing to know about the configuration.
type finding struct {
	// level is the name of the priority level that it is shown on.
	level   string
	reason  string
	message string
}

// maxListed bounds the findings in a message.
const maxListed = 4

// Judge makes the condition ConfigurationSound of each priority level, by its name.
// The objects are only read. The conditions lack lastTransitionTime.
func Judge(levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) map[string]metav1.Condition {
	byName := map[string]*flowcontrolv1.PriorityLevelConfiguration{}
	for _, level := range levels {
		byName[level.Name] = level
	}
	sequence := slices.Clone(schemas)
	// The order of matching: apiserver util/apihelpers FlowSchemaSequence.
	slices.SortFunc(sequence, func(a, b *flowcontrolv1.FlowSchema) int {
		return cmp.Or(cmp.Compare(a.Spec.MatchingPrecedence, b.Spec.MatchingPrecedence), cmp.Compare(a.Name, b.Name))
	})
	effective := slices.DeleteFunc(slices.Clone(sequence), func(s *flowcontrolv1.FlowSchema) bool {
		return byName[levelOf(s)] == nil || calledDangling(s) != nil
	})

	x := newIndex(effective)
	findings := slices.Concat(dangling(sequence, x, byName), shadowed(x), changed(levels, schemas))
	conditions := make(map[string]metav1.Condition, len(levels))
	for _, level := range levels {
		conditions[level.Name] = condition(slices.DeleteFunc(slices.Clone(findings), func(f finding) bool { return f.level != level.Name }))
	}
	return conditions
}

func condition(findings []finding) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionConfigurationSound, Status: metav1.ConditionTrue}
	if len(findings) == 0 {
		c.Reason, c.Message = ReasonNoFindings, "nothing is wrong with the objects that concern the level"
		return c
	}
	slices.SortFunc(findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(slices.Index(byGravity, a.reason), slices.Index(byGravity, b.reason)), cmp.Compare(a.message, b.message))
	})
	c.Reason = findings[0].reason
	switch c.Reason {
	case ReasonDiffersFromDefaults:
	case ReasonFlowSchemaNotJudged:
		c.Status = metav1.ConditionUnknown
	default:
		c.Status = metav1.ConditionFalse
	}
	messages := make([]string, 0, maxListed+1)
	for _, f := range findings[:min(len(findings), maxListed)] {
		messages = append(messages, f.message)
	}
	if more := len(findings) - maxListed; more > 0 {
		messages = append(messages, fmt.Sprintf("%d more", more))
	}
	c.Message = strings.Join(messages, "; ")
	return c
}

func levelOf(schema *flowcontrolv1.FlowSchema) string {
	return schema.Spec.PriorityLevelConfiguration.Name
}

// dangling finds the flow schemas that kube-apiservers ignore. Where the priority level
// is there, it is shown on that. Otherwise it is shown where the requests end up.
func dangling(sequence []*flowcontrolv1.FlowSchema, x *index, levels map[string]*flowcontrolv1.PriorityLevelConfiguration) []finding {
	var findings []finding
	for _, s := range sequence {
		if levels[levelOf(s)] == nil {
			next, level := successor(s, x)
			findings = append(findings, finding{level, ReasonFlowSchemaDangling, fmt.Sprintf(
				"flow schema %s is ignored, because its priority level %s does not exist: its requests go on to later flow schemas, %s at the latest",
				s.Name, levelOf(s), next)})
			continue
		}
		if c := calledDangling(s); c != nil {
			findings = append(findings, finding{levelOf(s), ReasonFlowSchemaDangling, fmt.Sprintf(
				"flow schema %s is ignored: its condition Dangling is True (%s)", s.Name, cmp.Or(c.Reason, "no reason"))})
		}
	}
	return findings
}

// calledDangling returns the condition by which the kube-apiservers say that they
// ignore a flow schema. They also do when its priority level is there but broken
// (apf_controller.go digestFlowSchemasLocked).
func calledDangling(s *flowcontrolv1.FlowSchema) *flowcontrolv1.FlowSchemaCondition {
	for i := range s.Status.Conditions {
		c := &s.Status.Conditions[i]
		if c.Type == flowcontrolv1.FlowSchemaConditionDangling && c.Status == flowcontrolv1.ConditionTrue {
			return c
		}
	}
	return nil
}

// successor is the first later flow schema that takes all requests of one that is
// ignored, and its priority level; one that takes too long to compare is left out.
// Without one, catch-all is the last to be asked.
func successor(ignored *flowcontrolv1.FlowSchema, x *index) (schema, level string) {
	parts := askedOf(ignored, usually)
	for i, s := range x.schemas {
		if !precedes(ignored, s) {
			continue
		}
		if _, c := x.covers(i, i+1, parts); c == covered {
			return s.Name, levelOf(s)
		}
	}
	return flowcontrolv1.FlowSchemaNameCatchAll, flowcontrolv1.PriorityLevelConfigurationNameCatchAll
}

func precedes(a, b *flowcontrolv1.FlowSchema) bool {
	return cmp.Or(cmp.Compare(a.Spec.MatchingPrecedence, b.Spec.MatchingPrecedence), cmp.Compare(a.Name, b.Name)) < 0
}

// shadowed finds the flow schemas that no request reaches. The one named catch-all is
// meant to be the last resort, and is out of reach wherever there is a global-default.
func shadowed(x *index) []finding {
	var findings []finding
	for i, s := range x.schemas {
		if s.Name == flowcontrolv1.FlowSchemaNameCatchAll {
			continue
		}
		switch takers, c := x.covers(0, i, askedOf(s, always)); c {
		case covered:
			var names []string
			for _, taker := range takers {
				names = append(names, x.schemas[taker].Name)
			}
			findings = append(findings, finding{levelOf(s), ReasonFlowSchemaShadowed, fmt.Sprintf(
				"no request reaches flow schema %s (matchingPrecedence %d), because %s %s them first",
				s.Name, s.Spec.MatchingPrecedence, join(names), verb(names))})
		case unjudged:
			findings = append(findings, finding{levelOf(s), ReasonFlowSchemaNotJudged, fmt.Sprintf(
				"whether requests reach flow schema %s (matchingPrecedence %d) is not known: to compare its rules with those before it takes too long",
				s.Name, s.Spec.MatchingPrecedence)})
		case uncovered:
		}
	}
	return findings
}

func join(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

func verb(names []string) string {
	if len(names) == 1 {
		return "takes"
	}
	return "take"
}
