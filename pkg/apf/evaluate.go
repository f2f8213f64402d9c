// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"math"
	"slices"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apf/configuration"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Options of Evaluate.
type Options struct {
	// Expected is how many kube-apiservers the cluster knows, at least; 0 when that is not
	// known. A source may know fewer, as a Prometheus does that has just started.
	Expected int
}

// Evaluate makes an APFHeadroom of each priority level, sorted by name. The
// objects are only read. The conditions lack lastTransitionTime, which needs
// the evaluation before this one.
func Evaluate(
	reading *sources.Reading,
	levels []*flowcontrolv1.PriorityLevelConfiguration,
	schemas []*flowcontrolv1.FlowSchema,
	options Options,
) []v1alpha1.APFHeadroom {
	s := newSurvey(reading)
	s.unlisted = max(0, options.Expected-len(s.observed)-len(s.missing))
	headrooms := describe(levels, schemas)
	s.sharePools(headrooms)
	sound := configuration.Judge(levels, schemas)
	for i := range headrooms {
		h := &headrooms[i]
		rows := make([]*row, len(s.observed))
		for j, instance := range s.observed {
			rows[j] = newRow(instance, h.Name, &h.Spec)
		}
		h.Status = status(s, rows)
		h.Status.Evidence = evidenceOf(reading, h.Name, &h.Status)
		h.Status.Conditions = append(h.Status.Conditions, sound[h.Name])
	}
	return headrooms
}

// Unknown says of each priority level, sorted by name, that nothing was measured,
// and why. Nothing is claimed of exempt levels either. What is to be said of the
// configuration needs no measurement.
func Unknown(
	levels []*flowcontrolv1.PriorityLevelConfiguration,
	schemas []*flowcontrolv1.FlowSchema,
	reason, message string,
) []v1alpha1.APFHeadroom {
	headrooms := describe(levels, schemas)
	sound := configuration.Judge(levels, schemas)
	for i := range headrooms {
		headrooms[i].Status = v1alpha1.APFHeadroomStatus{
			Pressure: v1alpha1.PressureUnknown,
			Conditions: []metav1.Condition{
				condition(v1alpha1.ConditionHasHeadroom, metav1.ConditionUnknown, reason, message),
				condition(v1alpha1.ConditionDataComplete, metav1.ConditionFalse, reason, message),
				sound[headrooms[i].Name],
			},
		}
	}
	return headrooms
}

func status(s *survey, rows []*row) v1alpha1.APFHeadroomStatus {
	complete := dataComplete(s, rows)
	status := v1alpha1.APFHeadroomStatus{
		Pressure:   overall(rows, s.isShort()),
		Instances:  s.counts(),
		Conditions: []metav1.Condition{hasHeadroom(s, rows, complete), complete, dataSound(s)},
	}
	if len(rows) == 0 {
		return status
	}
	last, covered := s.span()
	status.ObservationTime = new(metav1.NewTime(last.UTC().Truncate(time.Second)))
	status.WindowSeconds = new(int64(math.Round(covered.Seconds())))
	status.Worst = worst(rows).InstanceSeats.DeepCopy()
	status.Total = totalSeats(rows)
	status.Exhaustion = exhaustion(rows)
	status.Requests = totalRequests(rows)
	var omitted int64
	if status.FlowSchemas, omitted = flowSchemas(rows, status.Total); omitted > 0 {
		status.FlowSchemasOmitted = &omitted
	}
	for _, r := range rows {
		status.ByInstance = append(status.ByInstance, r.InstanceSeats)
	}
	return status
}

// span is the newest sample and the longest time that an instance was read over.
func (s *survey) span() (last time.Time, covered time.Duration) {
	for _, i := range s.observed {
		if i.Last.After(last) {
			last = i.Last
		}
		covered = max(covered, i.Covered())
	}
	return last, covered
}

// maxMissingNames bounds v1alpha1.InstanceCounts.Missing.
const maxMissingNames = 10

// counts as the API has them: an instance that was read, but not over the whole
// window, is in the figures and still missing here.
func (s *survey) counts() *v1alpha1.InstanceCounts {
	var missing []string
	for _, i := range s.missing {
		missing = append(missing, i.Name)
	}
	for _, i := range s.observed {
		if !i.complete {
			missing = append(missing, i.Name)
		}
	}
	slices.Sort(missing)
	expected := len(s.observed) + len(s.missing) + s.unlisted
	return &v1alpha1.InstanceCounts{
		Expected: int32(expected),
		Observed: int32(expected - s.unlisted - len(missing)),
		Missing:  missing[:min(len(missing), maxMissingNames)],
	}
}
