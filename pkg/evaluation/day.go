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
	// ReasonBackfilled: the source was asked for all unknown minutes, and what it
	// remembers of them gives no verdict.
	ReasonBackfilled = "Backfilled"
	// ReasonCheckpointSetAside: the checkpoint could not be used.
	ReasonCheckpointSetAside = "CheckpointSetAside"
	// ReasonObjectiveChanged: the objective was defined anew, or the checkpoint is of
	// another definition of it.
	ReasonObjectiveChanged = "ObjectiveChanged"
	// ReasonStarted: this server started less than a day ago, and without a
	// checkpoint.
	ReasonStarted = "Started"
	// ReasonMinutesUnknown: some minutes had no evaluation, or none with a verdict.
	ReasonMinutesUnknown = "MinutesUnknown"
)

const day = 24 * time.Hour

// dayComplete is the condition of that type, for an objective of whose last day so
// many minutes are unknown. What became of the checkpoint and of a backfill is of
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
	const verdictless = ": they had no evaluation, or none with a verdict"
	f := e.days.asked.filling[extent{signal: o.Signal}]
	switch {
	case f.isUnderWay():
		return set(ReasonBackfilling, counted+"; "+f.message()+note)
	case f.hasLost(now, day):
		return set(ReasonBackfillFailed, counted+"; "+f.message()+note)
	case f == nil && now.Sub(e.days.begun[o.Name]) < day:
		begun := e.days.begun[o.Name]
		return set(ReasonObjectiveChanged, fmt.Sprintf("%s: this objective is defined as it is since %s, and has a whole day at %s",
			counted, begun.UTC().Format(time.RFC3339), begun.Add(day).UTC().Format(time.RFC3339)))
	case young && e.restored.problem != nil:
		return set(ReasonCheckpointSetAside, counted+note)
	case f != nil && e.wereAskedFor(o, unknown, now):
		return set(ReasonBackfilled, counted+verdictless+", and what the source remembers of them gives none")
	case f != nil:
		return set(ReasonMinutesUnknown, counted+verdictless+"; those in which the source did not answer are read from it some minutes after it does")
	case young && e.restored.hasStartedOver(o.Name):
		return set(ReasonObjectiveChanged, counted+": the checkpoint is of another definition of this objective, whose minutes do not compare; "+e.since24())
	case young && !e.restored.found:
		remedy := ""
		if e.state == nil {
			remedy = "; with --state-dir days survive a restart"
		}
		return set(ReasonStarted, counted+": "+e.since24()+remedy)
	}
	return set(ReasonMinutesUnknown, counted+verdictless)
}

// wereAskedFor says that the source was asked for the unknown minutes of an objective,
// of which there are so many: none became unknown since.
func (e *Evaluator) wereAskedFor(o slo.Objective, unknown int32, now time.Time) bool {
	minutes := e.days.ledger.Unknown(now, o.Name)
	// One more is the minute that goes on, for which nobody asks.
	return len(minutes) == int(unknown) && !minutes[len(minutes)-1].After(e.days.asked.through)
}

// since24 says when the day will be that of this process.
func (e *Evaluator) since24() string {
	return fmt.Sprintf("this server evaluates since %s, and has a whole day at %s",
		e.started.UTC().Format(time.RFC3339), e.started.Add(day).UTC().Format(time.RFC3339))
}
