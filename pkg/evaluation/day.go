// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
)

// Reasons of the condition DayComplete.
const (
	// ReasonAllMinutesKnown: DayComplete is True.
	ReasonAllMinutesKnown = "AllMinutesKnown"
	// ReasonBackfilling: unknown minutes are being read from the source.
	ReasonBackfilling = "Backfilling"
	// ReasonBackfillFailed: some minutes could not be read from the source.
	ReasonBackfillFailed = "BackfillFailed"
	// ReasonBackfilled: what the source remembers of the unknown minutes gives no
	// verdict on all of them.
	ReasonBackfilled = "Backfilled"
	// ReasonCheckpointSetAside: the checkpoint could not be used.
	ReasonCheckpointSetAside = "CheckpointSetAside"
	// ReasonObjectiveChanged: the checkpoint is of another definition of the objective.
	ReasonObjectiveChanged = "ObjectiveChanged"
	// ReasonStarted: this server started less than a day ago, and without a
	// checkpoint.
	ReasonStarted = "Started"
	// ReasonMinutesUnknown: some minutes had no evaluation, or none with a verdict.
	ReasonMinutesUnknown = "MinutesUnknown"
)

const day = 24 * time.Hour

// dayComplete is the condition of that type, for an objective of whose last day so
// many minutes are unknown. What became of the checkpoint and of the backfill is of
// interest for a day: what they left unknown has gone then. It is called with
// e.days.mu held.
func (e *Evaluator) dayComplete(o slo.Objective, unknown int32, now time.Time) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionDayComplete, Status: metav1.ConditionFalse}
	set := func(reason, message string) metav1.Condition {
		c.Reason, c.Message = reason, message
		return c
	}
	young := now.Sub(e.started) < day
	note := ""
	if young && e.restored.problem != nil {
		note = "; " + e.restored.message()
	}
	if unknown == 0 {
		c.Status = metav1.ConditionTrue
		return set(ReasonAllMinutesKnown, "every minute of the last 24 hours was judged or idle"+note)
	}
	counted := fmt.Sprintf("%d minutes of the last 24 hours are unknown", unknown)
	filling := e.days.filling[o.Signal]
	switch {
	case !young:
		return set(ReasonMinutesUnknown, counted+": they had no evaluation, or none with a verdict")
	case filling != nil && filling.left > 0:
		return set(ReasonBackfilling, counted+"; "+filling.message()+note)
	case filling != nil && filling.lost > 0:
		return set(ReasonBackfillFailed, counted+"; "+filling.message()+note)
	case e.restored.problem != nil:
		return set(ReasonCheckpointSetAside, counted+note)
	case filling != nil:
		return set(ReasonBackfilled, counted+": they had no evaluation, or none with a verdict, and what the source remembers of them gives none")
	case e.restored.hasStartedOver(o.Name):
		return set(ReasonObjectiveChanged, counted+": the checkpoint is of another definition of this objective, whose minutes do not compare; "+e.since24())
	case e.restored.found:
		return set(ReasonMinutesUnknown, counted+": they had no evaluation, or none with a verdict")
	}
	remedy := ""
	if e.state == nil {
		remedy = "; with --state-dir days survive a restart"
	}
	return set(ReasonStarted, counted+": "+e.since24()+remedy)
}

// since24 says when the day will be that of this process.
func (e *Evaluator) since24() string {
	return fmt.Sprintf("this server evaluates since %s, and has a whole day at %s",
		e.started.UTC().Format(time.RFC3339), e.started.Add(day).UTC().Format(time.RFC3339))
}

// filling is how far the backfill from one signal has come, in minutes.
type filling struct {
	asked, left int
	// lost minutes were tried in vain.
	lost int
	// problem is the last one there was; nil while all goes well.
	problem error
}

func (f *filling) message() string {
	problem := ""
	if f.problem != nil {
		problem = fmt.Sprintf("; the last attempt failed: %v", f.problem)
	}
	if f.left > 0 {
		return fmt.Sprintf("they are read from the source, %d of %d minutes so far%s", f.asked-f.left-f.lost, f.asked, problem)
	}
	return fmt.Sprintf("%d of %d minutes could not be read from the source%s; they are tried again when this server restarts",
		f.lost, f.asked, problem)
}
