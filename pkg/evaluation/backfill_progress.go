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
)

// askAgain is how long after the beginning of a backfill the next one may begin: the
// minutes of an outage are known soon, and a source that comes and goes is not kept
// busy.
const askAgain = 10 * time.Minute

// asked is what the history of the source was asked for, and what may be worth it.
type asked struct {
	// filling is the progress, by signal; nil before the first backfill.
	filling map[string]*filling
	// through is the last minute that was asked for, if it was unknown, and at is
	// when.
	through, at time.Time
	// underWay says that a backfill is.
	underWay bool
	// over says that, once it is not, the whole day is to be asked for again: the
	// objectives are others.
	over bool
	// answered is the last minute in which the source was read, and missed the last one
	// before that in which it was not.
	answered, missed time.Time
}

// note whether the source was read in that minute.
func (a *asked) note(minute time.Time, read bool) {
	if !read || !minute.After(a.answered) {
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
		a.filling = map[string]*filling{}
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

// backlogs are what is to be read of the last day, sorted by signal, and with it the
// progress begins. There are none without a history.
func (e *Evaluator) backlogs() []*backlog {
	now := e.Clock.Now()
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	d := e.days.definitions
	if d.Historian == nil {
		return nil
	}
	bySignal := map[string][]string{}
	for _, o := range d.Objectives {
		if d.hasHistory(o) {
			bySignal[o.Signal] = append(bySignal[o.Signal], o.Name)
		}
	}
	after, last, worth := e.days.asked.begin(now)
	if !worth {
		return nil
	}
	var backlogs []*backlog
	for signal, objectives := range bySignal {
		again := e.days.asked.filling[signal].hasLost(now) // perhaps to an outage
		minutes := slices.DeleteFunc(e.days.ledger.Unknown(now, objectives...), func(minute time.Time) bool {
			return !again && !minute.After(after) || minute.After(last)
		})
		b := newBacklog(signal, minutes)
		e.days.asked.filling[signal] = &filling{asked: minutesOf(b.chunks), left: minutesOf(b.chunks)}
		if len(b.chunks) > 0 {
			backlogs = append(backlogs, b)
		}
	}
	slices.SortFunc(backlogs, func(a, b *backlog) int { return cmp.Compare(a.signal, b.signal) })
	e.days.asked.underWay = len(backlogs) > 0
	e.metrics.backfillLeft.Set(float64(leftOf(backlogs)))
	return backlogs
}

func (e *Evaluator) backfillEnded() {
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	e.days.asked.underWay = false
	if e.days.asked.over {
		e.days.asked.startOver()
	}
}

// hasHistory says that minutes of an objective can be read from the history: those
// of histograms can, see sources.History. Without a verdict there is none to learn.
func (d *Definitions) hasHistory(o slo.Objective) bool {
	_, unread := d.Unread[o.Signal]
	return o.Type != v1alpha1.IndicatorRatio && !o.Informational && !unread
}

// filling is how far the backfill from one signal has come, in minutes.
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

// hasLost says that minutes of the last day were lost.
func (f *filling) hasLost(now time.Time) bool {
	return f != nil && f.lost > 0 && now.Sub(f.newestLost) < day
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
