// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"cmp"
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
	// chunkMinutes are read at once. The answers for an hour of a busy cluster are
	// some megabytes, and a failure costs no more than that.
	chunkMinutes = 60
	// chunkTries of what does not succeed, each with half of it: what is too much
	// for the source in one go may not be in parts.
	chunkTries = 3
	// firstWait and longestWait bound the wait after failures, which doubles with
	// each one that follows another. longestTold bounds what a source may ask for.
	firstWait   = 15 * time.Second
	longestWait = 10 * time.Minute
	longestTold = time.Hour
	// mostFailures in a row, which with these waits take more than an hour.
	mostFailures = 12
	// longestRest after a chunk. The source rests for as long as it was kept busy.
	longestRest = time.Minute
)

// chunk of minutes to be read for the objectives of one signal.
type chunk struct {
	signal      string
	first, last time.Time
	failures    int
}

// minutes of the chunk, those that are known among them.
func (c chunk) minutes() int { return int(c.last.Sub(c.first)/time.Minute) + 1 }

// chunksOf minutes, which are given oldest first; the newest chunk comes first.
func chunksOf(signal string, minutes []time.Time) []chunk {
	var chunks []chunk
	for end := len(minutes); end > 0; {
		last := minutes[end-1]
		start, _ := slices.BinarySearchFunc(minutes, last.Add(-(chunkMinutes-1)*time.Minute), time.Time.Compare)
		chunks = append(chunks, chunk{signal: signal, first: minutes[start], last: last})
		end = start
	}
	return chunks
}

// halves of a chunk, the newer one first.
func (c chunk) halves() []chunk {
	middle := c.first.Add(time.Duration(c.minutes()/2) * time.Minute)
	if !middle.After(c.first) {
		return []chunk{c}
	}
	newer, older := c, c
	newer.first, older.last = middle, middle.Add(-time.Minute)
	return []chunk{newer, older}
}

// backfill reads minutes that the ledger does not know from the history of the
// source, until all are read or ctx ends. It fails by itself: whatever happens shows
// in a condition, and evaluations go on.
func (e *Evaluator) backfill(ctx context.Context, queue []chunk) {
	logger := klog.FromContext(ctx)
	logger.Info("Unknown minutes of the last day are read from the source", "chunks", len(queue))
	lostAny := false
	for failures := 0; len(queue) > 0; {
		c := queue[0]
		began := e.Clock.Now()
		rest, err := e.fill(ctx, c)
		if ctx.Err() != nil {
			return
		}
		e.metrics.observeChunk(err)
		wait := min(e.Clock.Since(began), longestRest)
		queue = queue[1:]
		var lost []chunk
		if err == nil {
			failures = 0
		} else {
			failures++
			var again []chunk
			again, lost, wait = afterFailure(rest, failures, err)
			queue = append(queue, again...)
			logger.V(2).Info("A part of the last day was not read", "signal", c.signal, "first", rest.first, "last", c.last, "error", err, "wait", wait)
		}
		if failures == mostFailures {
			lost, queue = append(lost, queue...), nil
		}
		lostAny = lostAny || len(lost) > 0
		e.tellProgress(queue, lost, c.signal, err)
		if len(queue) > 0 && !e.sleep(ctx, wait) {
			return
		}
	}
	logger.Info("The backfill of the last day has ended", "everythingRead", !lostAny, "keys", e.keys())
}

// afterFailure returns what of a chunk is to be tried again and what is not, and how
// long to wait before anything is. A source that is busy says nothing about the chunk.
func afterFailure(rest chunk, failures int, err error) (again, lost []chunk, wait time.Duration) {
	wait = min(firstWait<<min(failures-1, 10), longestWait)
	var told retryAfter
	if errors.As(err, &told) {
		return []chunk{rest}, nil, max(wait, min(told.RetryAfter(), longestTold))
	}
	if rest.failures++; rest.failures >= chunkTries {
		return nil, []chunk{rest}, wait
	}
	return rest.halves(), nil, wait
}

// tellProgress says what is left to be read, and what is given up, after an attempt
// at the objectives of a signal.
func (e *Evaluator) tellProgress(left, lost []chunk, signal string, err error) {
	e.metrics.backfillLeft.Set(float64(minutesOf(left)))
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	for of, f := range e.days.filling {
		other := func(c chunk) bool { return c.signal != of }
		f.left = minutesOf(slices.DeleteFunc(slices.Clone(left), other))
		f.lost += minutesOf(slices.DeleteFunc(slices.Clone(lost), other))
		if err != nil && (of == signal || len(left) == 0) {
			f.problem = err
		} else if of == signal && f.lost == 0 {
			f.problem = nil
		}
	}
}

// unknownChunks are what is to be read of the last day, the newest first, and with it
// the progress begins. There are none without a history.
func (e *Evaluator) unknownChunks() []chunk {
	if e.Historian == nil {
		return nil
	}
	now := e.Clock.Now()
	bySignal := map[string][]string{}
	for _, o := range e.Objectives {
		bySignal[o.Signal] = append(bySignal[o.Signal], o.Name)
	}
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	var chunks []chunk
	e.days.filling = map[string]*filling{}
	for signal, objectives := range bySignal {
		minutes := e.days.ledger.Unknown(now, objectives...)
		own := chunksOf(signal, minutes)
		e.days.filling[signal] = &filling{asked: minutesOf(own), left: minutesOf(own)}
		chunks = append(chunks, own...)
	}
	slices.SortFunc(chunks, func(a, b chunk) int {
		if order := b.last.Compare(a.last); order != 0 {
			return order
		}
		return cmp.Compare(a.signal, b.signal)
	})
	e.metrics.backfillLeft.Set(float64(minutesOf(chunks)))
	return chunks
}

func minutesOf(chunks []chunk) int {
	n := 0
	for _, c := range chunks {
		n += c.minutes()
	}
	return n
}

// fill reads one chunk into the ledger. With an error it returns what is left of it.
func (e *Evaluator) fill(ctx context.Context, c chunk) (rest chunk, err error) {
	if oldest := e.Clock.Now().Truncate(time.Minute).Add(-(24*60 - 1) * time.Minute); c.first.Before(oldest) {
		c.first = oldest // what is before has gone from the day since
	}
	if c.last.Before(c.first) {
		return c, nil
	}
	classes, err := e.Resources.Classes()
	if err != nil {
		return c, fmt.Errorf("which resources are built in is not known: %w", err)
	}
	own := slices.DeleteFunc(slices.Clone(e.Objectives), func(o slo.Objective) bool { return o.Signal != c.signal })
	wanted := sources.History{
		Signal: c.signal, Bounds: slo.Decisive(own, c.signal),
		First: c.first, Last: c.last, Step: time.Minute, Window: e.Window,
	}
	panicked := guard(ctx, "read the history of the source", func() {
		err = e.Historian.ReadHistory(ctx, wanted, func(reading *sources.Reading) error {
			_, minutes := slo.Judge(own, reading, classes, slo.Options{})
			e.days.mu.Lock()
			defer e.days.mu.Unlock()
			learned, refused := e.days.ledger.Fill(reading.At, minutes)
			e.metrics.backfilled.Add(float64(learned))
			e.metrics.ledgerRefused.Add(float64(refused))
			c.first = reading.At.Add(time.Minute)
			return ctx.Err()
		})
	})
	return c, errors.Join(panicked, err)
}

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
