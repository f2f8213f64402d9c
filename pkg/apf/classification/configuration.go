// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"fmt"
	"slices"
	"sort"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
	"k8s.io/apiserver/pkg/util/apihelpers"
	"k8s.io/apiserver/pkg/util/shufflesharding"
)

// Configuration is the flow schemas and priority levels as a kube-apiserver uses
// them.
type Configuration struct {
	// schemas in the order in which they are tried, those that are passed over
	// for their level included.
	schemas []schema
	levels  map[string]*level
}

// schema is a flow schema in use, or one with a problem, which is not.
type schema struct {
	*flowcontrolv1.FlowSchema
	problem string
}

// level is a priority level with its dealer; nil where there are no queues.
type level struct {
	*flowcontrolv1.PriorityLevelConfiguration
	dealer *shufflesharding.Dealer
}

// NewConfiguration makes what a kube-apiserver makes of the objects
// (digestConfigObjects in apf_controller.go): broken levels count as absent, flow
// schemas that refer to an absent level are passed over, and the mandatory objects
// are imagined where they are missing. The objects are kept, and not changed.
func NewConfiguration(levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) *Configuration {
	c := &Configuration{levels: map[string]*level{}}
	problems := map[string]string{}
	for _, l := range levels {
		usable, err := newLevel(l)
		if err != nil {
			problems[l.Name] = err.Error()
			continue
		}
		c.levels[l.Name] = usable
	}

	ordered := apihelpers.FlowSchemaSequence(slices.Clone(schemas))
	sort.Sort(ordered)
	used := map[string]bool{}
	for _, fs := range ordered {
		name := fs.Spec.PriorityLevelConfiguration.Name
		s := schema{FlowSchema: fs}
		if c.levels[name] == nil {
			s.problem = fmt.Sprintf("there is no PriorityLevelConfiguration %q", name)
			if broken, ok := problems[name]; ok {
				s.problem = fmt.Sprintf("PriorityLevelConfiguration %q is broken: %s", name, broken)
			}
		}
		used[fs.Name] = s.problem == ""
		c.schemas = append(c.schemas, s)
	}

	// Imagined schemas are not sorted in: exempt is the first, catch-all the last.
	if !used[flowcontrolv1.FlowSchemaNameExempt] {
		c.schemas = slices.Insert(c.schemas, 0, schema{FlowSchema: bootstrap.MandatoryFlowSchemaExempt})
	}
	if !used[flowcontrolv1.FlowSchemaNameCatchAll] {
		c.schemas = append(c.schemas, schema{FlowSchema: bootstrap.MandatoryFlowSchemaCatchAll})
	}
	// After the schemas: one that refers to an imagined level is passed over.
	for _, mandatory := range bootstrap.MandatoryPriorityLevelConfigurations {
		if c.levels[mandatory.Name] == nil {
			c.levels[mandatory.Name] = &level{PriorityLevelConfiguration: mandatory}
		}
	}
	return c
}

// newLevel refuses what a kube-apiserver does (queueSetCompleterForPL), but for an
// exempt level without the field exempt, which is younger than the level: before
// 1.28 there was none.
func newLevel(l *flowcontrolv1.PriorityLevelConfiguration) (*level, error) {
	limited, exempt := l.Spec.Type == flowcontrolv1.PriorityLevelEnablementLimited, l.Spec.Type == flowcontrolv1.PriorityLevelEnablementExempt
	switch {
	case limited != (l.Spec.Limited != nil), !exempt && l.Spec.Exempt != nil:
		return nil, fmt.Errorf("type %s does not go with the fields that are set", l.Spec.Type)
	case !limited && !exempt:
		return nil, fmt.Errorf("type %q is none", l.Spec.Type)
	case exempt != (l.Name == flowcontrolv1.PriorityLevelConfigurationNameExempt):
		return nil, fmt.Errorf("type %s is not for this name", l.Spec.Type)
	case exempt:
		return &level{PriorityLevelConfiguration: l}, nil
	}
	response := l.Spec.Limited.LimitResponse
	if (response.Type == flowcontrolv1.LimitResponseTypeReject) != (response.Queuing == nil) {
		return nil, fmt.Errorf("limitResponse.type %s does not go with the fields that are set", response.Type)
	}
	if response.Queuing == nil || response.Queuing.Queues <= 0 {
		return &level{PriorityLevelConfiguration: l}, nil
	}
	dealer, err := shufflesharding.NewDealer(int(response.Queuing.Queues), int(response.Queuing.HandSize))
	if err != nil {
		return nil, fmt.Errorf("limitResponse.queuing: %w", err)
	}
	return &level{l, dealer}, nil
}

func (l *level) exempt() bool {
	return l.Spec.Type == flowcontrolv1.PriorityLevelEnablementExempt
}

// queuing is nil where requests do not wait.
func (l *level) queuing() *flowcontrolv1.QueuingConfiguration {
	if l.dealer == nil {
		return nil
	}
	return l.Spec.Limited.LimitResponse.Queuing
}
