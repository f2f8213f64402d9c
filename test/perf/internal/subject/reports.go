// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package subject

import (
	"fmt"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/test/perf/internal/gen"
)

// Reports makes all reports and headrooms of a cluster.
type Reports struct {
	objectives []slo.Objective
	resources  *slo.Resources
	levels     []*flowcontrolv1.PriorityLevelConfiguration
	schemas    []*flowcontrolv1.FlowSchema
}

// NewReports over a window. Every resource of the combinations counts, custom ones
// included: PromQL can not tell them apart either.
func NewReports(window time.Duration, combinations map[gen.Key]gen.Truth) (*Reports, error) {
	objectives, err := slo.Catalog(window, slo.DefaultMinimumRequests)
	if err != nil {
		return nil, err
	}
	r := &Reports{objectives: objectives}
	classes := map[schema.GroupResource]slo.Class{}
	for key := range combinations {
		classes[schema.GroupResource{Group: key.Group, Resource: key.Resource}] = slo.BuiltIn
	}
	r.resources = slo.NewResources(classes, nil)
	for name, schemas := range gen.Levels() {
		r.levels = append(r.levels, &flowcontrolv1.PriorityLevelConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: flowcontrolv1.PriorityLevelConfigurationSpec{
				Type: flowcontrolv1.PriorityLevelEnablementLimited,
				Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{
					NominalConcurrencyShares: new(int32(10)),
					LimitResponse:            flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeQueue},
				},
			},
		})
		for _, schema := range schemas {
			r.schemas = append(r.schemas, &flowcontrolv1.FlowSchema{
				ObjectMeta: metav1.ObjectMeta{Name: schema},
				Spec: flowcontrolv1.FlowSchemaSpec{
					PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: name},
				},
			})
		}
	}
	return r, nil
}

// Evaluate a reading and return how many keys the reports count.
func (r *Reports) Evaluate(reading *sources.Reading) (keys int64, err error) {
	reports := slo.Evaluate(r.objectives, reading, r.resources, slo.Options{})
	headrooms := apf.Evaluate(reading, r.levels, r.schemas, apf.Options{})
	for _, report := range reports {
		if report.Status.Keys != nil {
			keys += report.Status.Keys.Total
		}
	}
	if keys == 0 || len(headrooms) != len(r.levels) {
		return 0, fmt.Errorf("reports of %d keys and %d levels: the reading is no good", keys, len(headrooms))
	}
	return keys, nil
}
