// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// dataSound is the condition of that type.
func dataSound(findings []sources.Warning) metav1.Condition {
	sound := metav1.Condition{
		Type: v1alpha1.ConditionDataSound, Status: metav1.ConditionTrue,
		Reason: ReasonNoFindings, Message: "nothing speaks against the figures",
	}
	if reason, message, harmless := sources.Summary(findings); reason != "" {
		sound.Reason, sound.Message = string(reason), message
		if !harmless {
			sound.Status = metav1.ConditionFalse
		}
	}
	return sound
}

// refusal is the finding for which nothing good may be said; nil when there is none.
func refusal(findings []sources.Warning) *sources.Warning {
	if len(findings) > 0 && findings[0].Reason.Effect() == sources.Refused {
		return &findings[0] // the gravest
	}
	return nil
}

// refuse a verdict, if there is one: what is met, or is without traffic, is not known to be so. A
// violation was seen. But where another server was counted in, it may be its own; that is
// graver than whatever else makes a verdict unknown.
func (j judgement) refuse(w *sources.Warning) judgement {
	switch {
	case w == nil || j.verdict == v1alpha1.VerdictInformational:
		return j
	case j.verdict == v1alpha1.VerdictUnknown && isStranger(w.Reason):
		return judgement{j.verdict, string(w.Reason), w.Message + "; " + j.message}
	case j.verdict == v1alpha1.VerdictUnknown, j.verdict == v1alpha1.VerdictViolated && !isStranger(w.Reason):
		return j
	}
	return judgement{v1alpha1.VerdictUnknown, string(w.Reason), w.Message}
}

func isStranger(r sources.Reason) bool { return r == sources.OwnServer || r == sources.ForeignServer }
