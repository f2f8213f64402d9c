// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
)

// days is the ledger, shared by the evaluations that write it and the checkpoints
// that read it.
type days struct {
	mu     sync.Mutex
	ledger *slo.Ledger
	// full says that keys were refused at the last record.
	full bool
	// asked is what the history of the source was asked for.
	asked asked
	// definitions in force.
	definitions *Definitions
	// begun is when the day of an objective began anew, because it was defined anew.
	begun map[string]time.Time
}

// judge makes the reports of an evaluation, and records them. What is derived
// from a reading that is not of now is shown, but says nothing of this minute.
func (e *Evaluator) judge(ctx context.Context, d *Definitions, next *Evaluation) error {
	var judged slo.Judged
	err := guard(ctx, "evaluate the objectives", func() {
		// Without classes the reports say why they are Unknown.
		classes, err := e.Resources.Classes()
		options := slo.Options{
			ResourcesProblem: err, EveryKubelet: e.EveryKubelet, Unread: d.Unread, Expected: e.expected(),
			Queues: queues(e.reading), QueuesEvidence: queuesEvidence(e.reading),
			Rejected: rejections(e.reading), RejectedEvidence: rejectionsEvidence(e.reading),
		}
		judged = slo.Judge(d.Objectives, e.reading, classes, options)
	})
	if err != nil {
		judged = slo.Judged{
			Reports:     slo.Unknown(d.Objectives, ReasonEvaluationFailed, err.Error()),
			Assessments: slo.Unassessed(d.Objectives, ReasonEvaluationFailed),
		}
	}
	next.Reports = judged.Reports
	next.indicators = e.indicators(ctx, next.Time, judged.Assessments)
	minutes := judged.Minutes
	if e.readErr != nil {
		minutes = nil
	}
	e.record(ctx, d, next, minutes)
	return err
}

// record the minute of an evaluation, and give its reports their days. Without
// minutes this one is unknown.
func (e *Evaluator) record(ctx context.Context, d *Definitions, next *Evaluation, minutes []slo.Minute) {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	refused := e.days.ledger.Record(next.Time, minutes)
	e.days.asked.note(next.Time.Truncate(time.Minute), minutes != nil && d.isWhole(next.Reading))
	e.metrics.ledgerKeys.Set(float64(e.days.ledger.Keys()))
	e.metrics.ledgerRefused.Add(float64(refused))
	if refused > 0 && !e.days.full {
		klog.FromContext(ctx).Info("The ledger has no room for more keys; their days are not counted, those of the reports are",
			"refused", refused, "keys", e.days.ledger.Keys())
	}
	e.days.full = refused > 0
	objectives := make(map[string]slo.Objective, len(d.Objectives))
	for _, o := range d.Objectives {
		objectives[o.Name] = o
	}
	for i := range next.Reports {
		report := &next.Reports[i]
		e.giveDay(report, objectives[report.Name], next.Time)
		if d.File != nil {
			report.Status.Conditions = append(report.Status.Conditions, d.File.objectivesCurrent())
		}
	}
}

// giveDay gives a report what the ledger has of it. Without an objective there is no
// good or bad minute, and so no day. It is called with e.days.mu held.
func (e *Evaluator) giveDay(report *v1alpha1.SLOReport, o slo.Objective, now time.Time) {
	report.Status.RequestBurnRates = e.days.ledger.BurnRates(o.Name, now)
	if o.Informational {
		return
	}
	minutes := e.days.ledger.Day(o.Name, now).Minutes(o)
	report.Status.Day = &minutes
	report.Status.Conditions = append(report.Status.Conditions, e.dayComplete(o, minutes.UnknownMinutes, now))
}

// KeyDays returns the figures of the last 24 hours of every key of an objective,
// sorted by key; see slo.Ledger.
func (e *Evaluator) KeyDays(objective string) []slo.KeyDay {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	return e.days.ledger.KeyDays(objective, e.Clock.Now())
}

// RunLedger evaluates once a minute, whether or not somebody reads, until ctx
// ends. Beside that it fills in unknown minutes from the history of the source, if
// that has one: those before it began, and those in which the source did not answer.
// It writes checkpoints in between and at the end. It has to be
// called once.
func (e *Evaluator) RunLedger(ctx context.Context) {
	e.logRestored(ctx)
	// The last one is for the minutes since the one before.
	defer e.checkpoint(context.WithoutCancel(ctx))
	var filling sync.WaitGroup
	defer filling.Wait()
	backlogs := e.backlogs() // before the first evaluation, which tells of it
	saved := e.Clock.Now()
	for first := true; ; first = false {
		now := e.Clock.Now()
		e.evaluateMinute(ctx, now.Truncate(time.Minute))
		if !first {
			backlogs = e.backlogs()
		}
		if of := backlogs; len(of) > 0 { // the present comes first
			filling.Go(func() { e.backfill(ctx, of) })
		}
		// A failed checkpoint is tried again in a minute. After a clock was set back,
		// too: the age is of no use then.
		if age := now.Sub(saved); age < 0 || age >= checkpointInterval {
			if e.checkpoint(ctx) {
				saved = now
			}
		}
		if !e.waitForMinute(ctx) {
			return
		}
	}
}

// evaluateMinute sees to it that there was an evaluation in the minute. Its own
// errors are those of the readers, and logged where they come from.
func (e *Evaluator) evaluateMinute(ctx context.Context, minute time.Time) {
	// The first may be the end of a flight that a reader started in the minute
	// before. There is no third: after a clock was set back that would go on.
	for range 2 {
		latest, err := e.since(ctx, minute)
		if err != nil || !latest.Time.Before(minute) {
			return
		}
	}
}

// waitForMinute waits for the next minute of the wall clock, and says whether ctx
// goes on. A clock that jumps costs no more than one minute.
func (e *Evaluator) waitForMinute(ctx context.Context) bool {
	now := e.Clock.Now()
	timer := e.Clock.NewTimer(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return ctx.Err() == nil
	}
}
