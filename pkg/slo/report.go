// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"maps"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// newReport is the objective as it is in force, without a measurement.
func newReport(o Objective) v1alpha1.SLOReport {
	report := v1alpha1.SLOReport{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.Name,
			Labels: map[string]string{
				v1alpha1.LabelComponent: string(o.Component),
				v1alpha1.LabelOfficial:  strconv.FormatBool(o.Official),
			},
		},
		Spec: v1alpha1.SLOReportSpec{
			Description: o.Description,
			Indicator: v1alpha1.Indicator{
				Type:          o.Type,
				Key:           slices.Clone(o.Key),
				Percentile:    o.Percentile,
				GoodEvents:    labelValues(o.Good),
				BadEvents:     labelValues(o.Bad),
				WindowSeconds: int64(o.Window / time.Second),
			},
			ThresholdMilliseconds: o.Threshold.Milliseconds(),
			MinimumRequests:       o.MinimumRequests,
			Day:                   v1alpha1.DayObjective{GoodMinutesPercent: o.DayGoodPercent},
		},
	}
	if o.Type == v1alpha1.IndicatorRatio && !o.Informational {
		report.Spec.GoodRatio = decimal(o.GoodMillionths)
	}
	if !o.Informational {
		day := Day{Unknown: minutesPerDay}.Minutes(o)
		report.Status.Day = &day
	}
	return report
}

func labelValues(events map[string][]string) []v1alpha1.LabelValues {
	var all []v1alpha1.LabelValues
	for _, label := range slices.Sorted(maps.Keys(events)) {
		all = append(all, v1alpha1.LabelValues{Label: label, Values: slices.Clone(events[label])})
	}
	return all
}

// setFigures copies what was measured. What is not known stays absent: all totals
// when a histogram can not be read, the slow requests when the bucket of the
// threshold is missing.
func setFigures(status *v1alpha1.SLOReportStatus, o Objective, k *keys) {
	status.Keys = &k.counts
	if k.readable {
		status.Requests = &k.requests
		if k.exact && o.hasBad() {
			status.SlowRequests = &k.slow
			status.GoodRatio = ratio(k.slow, k.requests)
			status.Interpolated = k.interpolated
		}
	}
	const most = 10 // v1alpha1: "the ten worst keys"
	for _, f := range k.figures[:min(most, len(k.figures))] {
		if !o.hasBad() {
			f.SlowRequests, f.GoodRatio, f.Interpolated = 0, "", false
		}
		status.Worst = append(status.Worst, f.KeyFigures)
	}
	if len(status.Worst) > 0 {
		status.Quantiles = *status.Worst[0].Quantiles.DeepCopy()
	}
}

// setConditions sets the verdict and all conditions, in the order in which they
// are read.
func setConditions(status *v1alpha1.SLOReportStatus, j judgement, complete, traffic metav1.Condition) {
	status.Verdict = j.verdict
	met := metav1.Condition{Type: v1alpha1.ConditionMet, Reason: j.reason, Message: j.message}
	switch j.verdict {
	case v1alpha1.VerdictMet:
		met.Status = metav1.ConditionTrue
	case v1alpha1.VerdictViolated:
		met.Status = metav1.ConditionFalse
	default:
		met.Status = metav1.ConditionUnknown
	}
	complete.Type = v1alpha1.ConditionDataComplete
	traffic.Type = v1alpha1.ConditionLowTraffic
	status.Conditions = []metav1.Condition{met, complete, traffic}
}
