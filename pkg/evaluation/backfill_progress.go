// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

// askAgain is how long after the beginning of a backfill the next one may begin: the
// minutes of an outage are known soon, and a source that comes and goes is not kept
// busy.
const askAgain = 10 * time.Minute

// asked is what the history of the source was asked for, and what may be worth it.
type asked struct {
	// filling is the progress; nil before the first backfill.
	filling map[extent]*filling
	// through is the last minute that was asked for, if it was unknown, and at is
	// when.
	through, at time.Time
	// underWay says that a backfill is.
	underWay bool
	// over says that, once it is not, the whole day is to be asked for again: the
	// objectives are others.
	over bool
	// answered is the last minute in which the source was read and told all, and missed the
	// last one before that in which it did not.
	answered, missed time.Time
}

// note whether the source was read in that minute, and told all.
func (a *asked) note(minute time.Time, whole bool) {
	if !whole || !minute.After(a.answered) {
		return
	}
	if !a.answered.IsZero() && minute.Sub(a.answered) > time.Minute {
		a.missed = minute.Add(-time.Minute)
	}
	a.answered = minute
}

// startOver asks for the whole day again: what is known of it is not asked for.
func (a *asked) startOver() {
	if a.over = a.underWay; !a.over {
		a.filling, a.through = nil, time.Time{}
	}
}

// begin returns the minutes of which a backfill is worth while: those after the first,
// up to the last. That is the whole day once, and later on the minutes in which the
// source did not answer or nobody asked it, when it answers again.
func (a *asked) begin(now time.Time) (after, last time.Time, worth bool) {
	switch {
	case a.filling == nil:
		a.filling = map[extent]*filling{}
		last = now.Truncate(time.Minute).Add(-time.Minute)
		if a.answered.IsZero() {
			a.answered = last
		}
	case a.underWay || now.Sub(a.at) < askAgain || !a.missed.After(a.through) || a.answered.Before(now.Truncate(time.Minute)):
		return after, last, false
	default:
		last = a.missed
	}
	after, a.through, a.at = a.through, last, now
	return after, last, true
}

// backlogs are what is to be read of the last day, and of the days before it for burn
// rates, sorted by signal, and with it the progress begins. There are none without a
// history.
func (e *Evaluator) backlogs() []*backlog {
	now := e.Clock.Now()
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	if e.days.definitions.Historian == nil {
		return nil
	}
	after, last, worth := e.days.asked.begin(now)
	if !worth {
		return nil
	}
	var backlogs []*backlog
	for of, minutes := range e.unknown(now) {
		again := e.days.asked.filling[of].hasLost(now, of.long()) // perhaps to an outage
		minutes = slices.DeleteFunc(minutes, func(minute time.Time) bool {
			return !again && !minute.After(after) || minute.After(last)
		})
		b := newBacklog(of, of.step(e.Window), minutes)
		e.days.asked.filling[of] = &filling{asked: minutesOf(b.chunks), left: minutesOf(b.chunks)}
		if len(b.chunks) > 0 {
			backlogs = append(backlogs, b)
		}
	}
	slices.SortFunc(backlogs, func(a, b *backlog) int { return cmp.Compare(a.signal, b.signal) })
	e.days.asked.underWay = len(backlogs) > 0
	e.metrics.backfillLeft.Set(float64(leftOf(backlogs)))
	return backlogs
}

// unknown minutes that the history may tell, oldest first. It is called with e.days.mu
// held.
func (e *Evaluator) unknown(now time.Time) map[extent][]time.Time {
	days, all := map[string][]string{}, map[string][]string{}
	for d, i := e.days.definitions, 0; i < len(d.Objectives); i++ {
		o := d.Objectives[i]
		if !d.hasHistory(o) {
			continue
		}
		if all[o.Signal] = append(all[o.Signal], o.Name); !o.Informational {
			days[o.Signal] = append(days[o.Signal], o.Name)
		}
	}
	unknown := map[extent][]time.Time{}
	for signal, objectives := range all {
		events := e.days.ledger.UnknownEvents(now, objectives...)
		// Those of the day are read with its verdicts.
		young, _ := slices.BinarySearchFunc(events, now.Truncate(time.Minute).Add(time.Minute-day), time.Time.Compare)
		minutes := append(e.days.ledger.Unknown(now, days[signal]...), events[young:]...)
		slices.SortFunc(minutes, time.Time.Compare)
		unknown[extent{signal: signal}] = slices.Compact(minutes)
		if young > 0 {
			unknown[extent{signal: signal, older: true}] = events[:young]
		}
	}
	return unknown
}

func (e *Evaluator) backfillEnded() {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	e.days.asked.underWay = false
	if e.days.asked.over {
		e.days.asked.startOver()
	}
}

// hasHistory says that minutes of an objective can be read from the history: verdicts,
// or the events of a ratio. Without an objective there is no verdict to learn.
func (d *Definitions) hasHistory(o slo.Objective) bool {
	_, unread := d.Unread[o.Signal]
	return !unread && (!o.Informational || o.Type == v1alpha1.IndicatorRatio)
}

// isWhole says that a reading has all that was asked for the objectives that have a
// history, and for what their verdicts need beside it. What a store that is away had to
// tell, or a query that failed, the source may tell later.
func (d *Definitions) isWhole(reading *sources.Reading) bool {
	lacks := func(warnings []sources.Warning) bool {
		return slices.ContainsFunc(warnings, func(w sources.Warning) bool {
			return w.Reason == sources.PartialResponse || w.Reason == sources.QueryFailed
		})
	}
	return !lacks(reading.Warnings) && !slices.ContainsFunc(d.Objectives, func(o slo.Objective) bool {
		signals := slices.Concat(slo.History([]slo.Objective{o}, o.Signal).Beside, []string{o.Signal})
		return d.hasHistory(o) && slices.ContainsFunc(signals, func(signal string) bool { return lacks(reading.Results[signal].Warnings) })
	})
}

// filling is how far the backfill of an extent has come, in minutes.
type filling struct {
	asked, left int
	// lost minutes were tried in vain; the newest of them is kept.
	lost       int
	newestLost time.Time
	// problem is the last one there was; nil while all goes well.
	problem error
}

func (f *filling) lose(chunks []chunk) {
	f.lost += minutesOf(chunks)
	for _, c := range chunks {
		if c.last.After(f.newestLost) {
			f.newestLost = c.last
		}
	}
}

// hasLost says that minutes of that long before now were lost.
func (f *filling) hasLost(now time.Time, long time.Duration) bool {
	return f != nil && f.lost > 0 && now.Sub(f.newestLost) < long
}

func (f *filling) isUnderWay() bool { return f != nil && f.left > 0 }

func (f *filling) message() string {
	problem := ""
	if f.problem != nil {
		problem = fmt.Sprintf("; the last attempt failed: %v", f.problem)
	}
	if f.left > 0 {
		return fmt.Sprintf("they are read from the source, %d of %d minutes so far%s", f.asked-f.left-f.lost, f.asked, problem)
	}
	return fmt.Sprintf("%d of %d minutes could not be read from the source%s; they are tried again when the source is back after an outage, and when this server restarts",
		f.lost, f.asked, problem)
}
