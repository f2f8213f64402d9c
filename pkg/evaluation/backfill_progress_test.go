// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
)

// Of minutes for which it was not asked nobody says what the source remembers.
func TestDayConditionAfterABackfill(t *testing.T) {
	unknown := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	h := &remembering{nothing: func(at time.Time) bool { return at.Equal(unknown) }}
	e, clock := remembers(t, &traffic{}, h, "")
	wantDay(t, e, 1, 0)
	runBackfill(t, e, clock)
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfilled, "1 minutes of the last 24 hours are unknown", "what the source remembers of them gives none")
	clock.Step(10 * time.Minute)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonMinutesUnknown, "10 minutes of the last 24 hours are unknown", "read from it some minutes after it does")
}

// The same after a checkpoint that knew everything: the source was asked for nothing.
func TestDayConditionAfterNoBackfill(t *testing.T) {
	h := &remembering{}
	e, clock := remembers(t, &traffic{}, h, "")
	for _, at := range minutesBefore(rememberedAt.Truncate(time.Minute), 1439) {
		var all []slo.Minute
		for _, o := range e.Objectives {
			all = append(all, slo.Minute{Objective: o.Name, Verdict: v1alpha1.VerdictMet})
		}
		e.days.ledger.Record(at, all)
	}
	if backlogs := e.backlogs(); len(backlogs) > 0 {
		t.Errorf("%d backlogs", len(backlogs))
	}
	wantDay(t, e, 1440, 0)
	clock.Step(10 * time.Minute)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonMinutesUnknown, "9 minutes of the last 24 hours are unknown")
}

// Minutes in which the source did not answer are read from it when it does, once, and
// not more often than every ten minutes.
func TestRunLedgerBackfillsOutages(t *testing.T) {
	source, h := &traffic{}, &remembering{}
	e, clock := remembers(t, source, h, "")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { e.RunLedger(ctx); close(ended) }()
	defer func() { stop(); <-ended }()
	settled := func() {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			e.days.mu.Lock()
			busy := e.days.asked.underWay
			e.days.mu.Unlock()
			if clock.HasWaiters() && !busy {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("the backfill does not end")
			}
		}
	}
	pass := func(minutes int) {
		for range minutes {
			clock.Step(time.Minute)
			settled()
		}
	}
	settled()
	day := len(h.questions(slo.SignalRequestLatency))
	asked := func() []string { return h.questions(slo.SignalRequestLatency)[day:] }

	source.set(errors.New("no route to host"))
	pass(3) // 12:01 to 12:03
	source.set(nil)
	pass(5)
	if len(asked()) > 0 {
		t.Errorf("asked for %q, minutes after the first backfill", asked())
	}
	source.set(errors.New("no route to host"))
	pass(7) // 12:09 to 12:15
	source.set(nil)
	pass(1)
	// In one go, what is known among them.
	want := []string{"[1 30] 02 12:01..02 12:15"}
	if !slices.Equal(asked(), want) {
		t.Errorf("asked for %q, want %q", asked(), want)
	}
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionTrue, ReasonAllMinutesKnown)

	// A minute without a verdict, of a source that answers, is no reason to ask.
	e.Resources = unclassified{}
	pass(1)
	e.Resources = fakeCluster{}
	pass(20)
	if !slices.Equal(asked(), want) {
		t.Errorf("asked for %q, want %q", asked(), want)
	}
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonMinutesUnknown)
}

// A source that is away when the server starts, until the backfill has given up, has
// the day when it is back.
func TestBackfillAgain(t *testing.T) {
	source, h := &traffic{}, &remembering{}
	down := errors.New("connection refused")
	source.set(down)
	h.fail = func(string, time.Time) error { return down }
	e, clock := remembers(t, source, h, "")
	runBackfill(t, e, clock)
	wantDayCondition(t, e, metav1.ConditionFalse, ReasonBackfillFailed, "connection refused; they are tried again when the source is back")
	if backlogs := e.backlogs(); backlogs != nil {
		t.Errorf("%d backlogs while the source is away", len(backlogs))
	}
	source.set(nil)
	h.fail = nil
	clock.Step(interval)
	latest(t, e)
	runBackfill(t, e, clock)
	clock.Step(interval)
	wantDayCondition(t, e, metav1.ConditionTrue, ReasonAllMinutesKnown)
}
