// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"context"
	"fmt"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Headrooms returns the APFHeadroom of a priority level, or why it is not known.
type Headrooms func(level string) (*slo.APFHeadroom, error)

// Classify answers for a request of a caller. An error says that there can be no
// such request.
func (c *Configuration) Classify(ctx context.Context, caller user.Info, r *slo.ClassifiedRequest, headrooms Headrooms) (*slo.APFClassificationStatus, error) {
	req, info, err := newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	status := &slo.APFClassificationStatus{User: &slo.ClassifiedUser{Name: caller.GetName(), Groups: caller.GetGroups()}}
	if longRunning(req, info) {
		status.Treatment = slo.TreatmentLongRunning
		status.Reason = "Long-running requests other than watches are not classified: they take no seats and do not wait."
		return status, nil
	}

	fs, rule, passedOver := c.schema(caller, info)
	status.PassedOver = passedOver
	l := c.levels[fs.Spec.PriorityLevelConfiguration.Name]
	status.FlowSchema = &slo.MatchedFlowSchema{Name: fs.Name, UID: fs.UID, MatchingPrecedence: fs.Spec.MatchingPrecedence, RuleIndex: rule}
	status.PriorityLevel = &slo.MatchedPriorityLevel{Name: l.Name, UID: l.UID}
	status.Treatment = treatment(l)
	status.Reason = reason(status)
	status.Flow, status.Queue = l.flow(fs, caller, info)

	headroom, err := headrooms(l.Name)
	if err != nil {
		status.HeadroomProblem = err.Error()
	} else {
		status.Headroom = levelHeadroom(headroom)
	}
	status.Width = l.width(req, info, r.Counts, headroom)
	return status, nil
}

// schema returns the flow schema of a request, and the index of its rule, nil when
// none matches. The one of catch-all matches every user that is authenticated or
// not, which is everybody; a kube-apiserver falls back on it all the same.
func (c *Configuration) schema(caller user.Info, info *request.RequestInfo) (*flowcontrolv1.FlowSchema, *int32, []slo.PassedOverFlowSchema) {
	var passedOver []slo.PassedOverFlowSchema
	var catchAll *flowcontrolv1.FlowSchema
	for _, s := range c.schemas {
		if s.problem == "" && s.Name == flowcontrolv1.FlowSchemaNameCatchAll {
			catchAll = s.FlowSchema
		}
		index, ok := match(s.Spec.Rules, caller, info)
		if !ok {
			continue
		}
		rule := int32(index)
		if s.problem == "" {
			return s.FlowSchema, &rule, passedOver
		}
		passedOver = append(passedOver, slo.PassedOverFlowSchema{
			Name: s.Name, MatchingPrecedence: s.Spec.MatchingPrecedence, RuleIndex: rule,
			PriorityLevel: s.Spec.PriorityLevelConfiguration.Name, Problem: s.problem,
		})
	}
	return catchAll, nil, passedOver
}

func treatment(l *level) slo.Treatment {
	switch {
	case l.exempt():
		return slo.TreatmentExempt
	case l.queuing() != nil:
		return slo.TreatmentQueue
	default:
		return slo.TreatmentReject
	}
}

func reason(status *slo.APFClassificationStatus) string {
	fs, level := status.FlowSchema, status.PriorityLevel.Name
	matches := fmt.Sprintf("No flow schema matches, so %s takes the request", fs.Name)
	if fs.RuleIndex != nil {
		matches = fmt.Sprintf("Rule %d of flow schema %s matches", *fs.RuleIndex, fs.Name)
	}
	if n := len(status.PassedOver); n > 0 {
		matches += fmt.Sprintf(" (%d before it are passed over for their priority level, see passedOver)", n)
	}
	switch status.Treatment {
	case slo.TreatmentExempt:
		return fmt.Sprintf("%s; priority level %s is exempt from limits.", matches, level)
	case slo.TreatmentQueue:
		return fmt.Sprintf("%s; priority level %s queues requests that find no free seats.", matches, level)
	default:
		return fmt.Sprintf("%s; priority level %s rejects requests that find no free seats.", matches, level)
	}
}

// levelHeadroom copies what an APFHeadroom says of the worst instance.
func levelHeadroom(h *slo.APFHeadroom) *slo.LevelHeadroom {
	l := &slo.LevelHeadroom{ObservationTime: h.Status.ObservationTime, Pressure: h.Status.Pressure}
	if worst := h.Status.Worst; worst != nil {
		l.Instance = worst.Instance
		l.CurrentLimitSeats, l.QueuedRequests = worst.CurrentLimitSeats, worst.QueuedRequests
		l.HeadroomSeats, l.NominalHeadroomSeats, l.ReachableHeadroomSeats = worst.HeadroomSeats, worst.NominalHeadroomSeats, worst.ReachableHeadroomSeats
	}
	return l
}
