// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"cmp"
	"slices"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Defaults of kubernetes pkg/apis/flowcontrol/v1/defaults.go. What comes out of an
// API server has them filled in; an object built by hand may not.
const (
	defaultShares           int32 = 30
	defaultExemptShares     int32 = 0
	defaultLendablePercent  int32 = 0
	defaultQueues           int32 = 64
	defaultHandSize         int32 = 8
	defaultQueueLengthLimit int32 = 50
)

// describe makes one APFHeadroom for each level, without status, sorted by name.
func describe(levels []*flowcontrolv1.PriorityLevelConfiguration, schemas []*flowcontrolv1.FlowSchema) []v1alpha1.APFHeadroom {
	feeding := map[string][]v1alpha1.FlowSchema{}
	for _, schema := range schemas {
		level := schema.Spec.PriorityLevelConfiguration.Name
		feeding[level] = append(feeding[level], flowSchema(schema))
	}
	headrooms := make([]v1alpha1.APFHeadroom, len(levels))
	for i, level := range levels {
		h := &headrooms[i]
		h.Name = level.Name
		h.Labels = map[string]string{
			v1alpha1.LabelComponent:         string(sources.KubeAPIServer),
			v1alpha1.LabelPriorityLevelType: string(level.Spec.Type),
		}
		h.Spec = spec(level)
		h.Spec.FlowSchemas = feeding[level.Name]
		// The order of matching: apiserver util/apihelpers FlowSchemaSequence.
		slices.SortFunc(h.Spec.FlowSchemas, func(a, b v1alpha1.FlowSchema) int {
			return cmp.Or(cmp.Compare(a.MatchingPrecedence, b.MatchingPrecedence), cmp.Compare(a.Name, b.Name))
		})
	}
	slices.SortFunc(headrooms, func(a, b v1alpha1.APFHeadroom) int { return cmp.Compare(a.Name, b.Name) })
	return headrooms
}

func spec(level *flowcontrolv1.PriorityLevelConfiguration) v1alpha1.APFHeadroomSpec {
	spec := v1alpha1.APFHeadroomSpec{Type: string(level.Spec.Type)}
	if limited := level.Spec.Limited; limited != nil {
		spec.NominalConcurrencyShares = new(valueOr(limited.NominalConcurrencyShares, defaultShares))
		spec.LendablePercent = new(valueOr(limited.LendablePercent, defaultLendablePercent))
		if limited.BorrowingLimitPercent != nil {
			spec.BorrowingLimitPercent = new(*limited.BorrowingLimitPercent)
		}
		spec.LimitResponse = limitResponse(limited.LimitResponse)
		return spec
	}
	if level.Spec.Type != flowcontrolv1.PriorityLevelEnablementExempt {
		return spec
	}
	exempt := level.Spec.Exempt
	if exempt == nil {
		exempt = &flowcontrolv1.ExemptPriorityLevelConfiguration{}
	}
	spec.NominalConcurrencyShares = new(valueOr(exempt.NominalConcurrencyShares, defaultExemptShares))
	spec.LendablePercent = new(valueOr(exempt.LendablePercent, defaultLendablePercent))
	return spec
}

func limitResponse(response flowcontrolv1.LimitResponse) *v1alpha1.LimitResponse {
	r := &v1alpha1.LimitResponse{Type: string(response.Type)}
	if response.Type == flowcontrolv1.LimitResponseTypeQueue {
		queuing := response.Queuing
		if queuing == nil {
			queuing = &flowcontrolv1.QueuingConfiguration{}
		}
		// Zero is no valid value of any of the three.
		r.Queues = new(cmp.Or(queuing.Queues, defaultQueues))
		r.HandSize = new(cmp.Or(queuing.HandSize, defaultHandSize))
		r.QueueLengthLimit = new(cmp.Or(queuing.QueueLengthLimit, defaultQueueLengthLimit))
	}
	return r
}

func flowSchema(schema *flowcontrolv1.FlowSchema) v1alpha1.FlowSchema {
	s := v1alpha1.FlowSchema{Name: schema.Name, MatchingPrecedence: schema.Spec.MatchingPrecedence}
	if method := schema.Spec.DistinguisherMethod; method != nil {
		s.DistinguisherMethod = string(method.Type)
	}
	return s
}

// queueCapacity is the number of requests that fit into the queues of the level
// in one kube-apiserver. A level that rejects at once has room for none; of an
// exempt level it says nothing.
func queueCapacity(spec *v1alpha1.APFHeadroomSpec) *int64 {
	switch r := spec.LimitResponse; {
	case r == nil:
		return nil
	case r.Queues == nil || r.QueueLengthLimit == nil:
		return new(int64(0))
	default:
		return new(int64(*r.Queues) * int64(*r.QueueLengthLimit))
	}
}

func valueOr(value *int32, otherwise int32) int32 {
	if value == nil {
		return otherwise
	}
	return *value
}
