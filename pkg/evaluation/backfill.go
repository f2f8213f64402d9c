// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/klog/v2"

	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
)

const (
	// firstWait and longestWait bound the wait after failures, which doubles with
	// each one that follows another. longestTold bounds what a source may ask for.
	firstWait   = 15 * time.Second
	longestWait = 10 * time.Minute
	longestTold = time.Hour
	// longestRest after a chunk. The source rests for as long as it was kept busy.
	longestRest = time.Minute
)

// backfill reads minutes that the ledger does not know from the history of the
// source, until all are read or given up, or ctx ends. It fails by itself: whatever
// happens shows in a condition, and evaluations go on.
func (e *Evaluator) backfill(ctx context.Context, backlogs []*backlog) {
	defer e.backfillEnded()
	logger := klog.FromContext(ctx)
	logger.Info("Unknown minutes of the past are read from the source", "minutes", leftOf(backlogs))
	lostAny := false
	for {
		b := turn(backlogs, e.Clock.Now())
		if b == nil {
			break
		}
		if !e.sleep(ctx, b.after.Sub(e.Clock.Now())) {
			return
		}
		taken := b.next()
		began := e.Clock.Now()
		rest, err := e.fill(ctx, b.extent, taken)
		if ctx.Err() != nil {
			return
		}
		e.metrics.observeChunk(err)
		lost := e.settle(backlogs, b, taken, rest, err)
		for _, other := range backlogs {
			other.waitUntil(e.Clock.Now().Add(min(e.Clock.Since(began), longestRest)))
		}
		if err != nil {
			logger.V(2).Info("A part of the past was not read", "signal", b.signal, "first", rest.first, "last", rest.last, "error", err, "again", b.after)
		}
		lostAny = lostAny || len(lost) > 0
		e.tellProgress(backlogs, b, lost, err)
	}
	logger.Info("The backfill has ended", "everythingRead", !lostAny, "keys", e.keys())
}

// settle what became of a chunk: how its backlog goes on, and when. It returns what is
// given up. A source that asks to be left alone is, for all signals.
func (e *Evaluator) settle(backlogs []*backlog, b *backlog, taken, rest chunk, err error) (lost []chunk) {
	if err == nil {
		b.succeeded(taken)
		return nil
	}
	wait := min(firstWait<<min(b.failures, 10), longestWait)
	var told retryAfter
	if !errors.As(err, &told) {
		b.waitUntil(e.Clock.Now().Add(wait))
		return b.failed(taken, rest)
	}
	wait = max(wait, min(told.RetryAfter(), longestTold))
	for _, other := range backlogs {
		other.waitUntil(e.Clock.Now().Add(wait))
	}
	return b.putOff(rest)
}

// tellProgress says what is left to be read, and what is given up, after an attempt
// at a backlog.
func (e *Evaluator) tellProgress(backlogs []*backlog, b *backlog, lost []chunk, err error) {
	e.metrics.backfillLeft.Set(float64(leftOf(backlogs)))
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	f := e.days.asked.filling[b.extent]
	f.left = minutesOf(b.chunks)
	f.lose(lost)
	if err != nil {
		f.problem = err
	} else if f.lost == 0 {
		f.problem = nil
	}
}

func leftOf(backlogs []*backlog) int {
	n := 0
	for _, b := range backlogs {
		n += minutesOf(b.chunks)
	}
	return n
}

// fill reads one chunk into the ledger. With an error it returns what is left of it.
func (e *Evaluator) fill(ctx context.Context, of extent, c chunk) (rest chunk, err error) {
	c = c.since(e.Clock.Now().Truncate(time.Minute).Add(time.Minute - of.long())) // the rest has gone since
	if c.last.Before(c.first) {
		return c, nil
	}
	classes, err := e.Resources.Classes()
	if err != nil {
		return c, fmt.Errorf("which resources are built in is not known: %w", err)
	}
	e.days.mu.Lock()
	d := e.days.definitions
	e.days.mu.Unlock()
	own := slices.DeleteFunc(slices.Clone(d.Objectives), func(o slo.Objective) bool { return o.Signal != of.signal || !d.hasHistory(o) })
	if len(own) == 0 || d.Historian == nil {
		return c, nil // nobody asks any more
	}
	// How many kube-apiservers there were is not known: as many as there are now.
	options := slo.Options{Expected: e.expected(), EveryKubelet: e.EveryKubelet}
	wanted := slo.History(own, of.signal)
	wanted.First, wanted.Last, wanted.Step, wanted.Window = c.first, c.last, c.step, e.Window
	panicked := guard(ctx, "read the history of the source", func() {
		err = d.Historian.ReadHistory(ctx, wanted, func(reading *sources.Reading) error {
			minutes := slo.Judge(own, reading, classes, options).Minutes
			e.days.mu.Lock()
			defer e.days.mu.Unlock()
			if e.days.definitions != d {
				return errRedefined
			}
			learned, refused := e.days.ledger.Fill(reading.At, minutes)
			e.metrics.backfilled.Add(float64(learned))
			e.metrics.ledgerRefused.Add(float64(refused))
			c.first = reading.At.Add(c.step)
			return ctx.Err()
		})
	})
	return c, errors.Join(panicked, err)
}

// errRedefined ends the reading of a chunk, which is tried again.
var errRedefined = errors.New("the objectives were defined anew meanwhile")

// sleep waits for that long, and says whether ctx goes on.
func (e *Evaluator) sleep(ctx context.Context, long time.Duration) bool {
	if long <= 0 {
		return ctx.Err() == nil
	}
	timer := e.Clock.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return ctx.Err() == nil
	}
}
