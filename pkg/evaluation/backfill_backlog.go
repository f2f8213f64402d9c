// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"slices"
	"time"

	"example.io/slo-apiserver/pkg/slo"
)

const (
	// chunkMinutes are read at once, as long as that goes well: an hour, or five of those
	// of which one minute in five is read. The answers for an hour of a busy cluster are
	// some megabytes.
	chunkMinutes = 60
	// fewestMinutes that are read at once where more were too much for the source: it
	// has a limit on the samples or on the time of a query. An hour is halved four
	// times on the way. A source that can not read that many has no use for a day.
	fewestMinutes = 3
	// chunkTries of so few minutes, before they are given up.
	chunkTries = 3
	// mostFailures in a row, before the signal is given up. With the waits between
	// them these take more than an hour, so that a shorter outage costs nothing.
	mostFailures = 12
)

// chunk of minutes, each a step after the one before. Some of them may be known.
type chunk struct {
	first, last time.Time
	step        time.Duration
	failures    int
}

// minutes of the chunk that are read, those that are known among them.
func (c chunk) minutes() int { return int(c.last.Sub(c.first)/c.step) + 1 }

// since leaves out what is before the oldest minute that is of use.
func (c chunk) since(oldest time.Time) chunk {
	if late := oldest.Sub(c.first); late > 0 {
		c.first = c.first.Add((late + c.step - 1).Truncate(c.step))
	}
	return c
}

func minutesOf(chunks []chunk) int {
	n := 0
	for _, c := range chunks {
		n += c.minutes()
	}
	return n
}

// extent is a part of the past that is read by itself: the last day of the objectives
// of a signal, or what is older of the events of its ratios.
type extent struct {
	signal string
	older  bool
}

// long is how far before now the extent begins.
func (x extent) long() time.Duration {
	if x.older {
		return slo.EventMinutes * time.Minute
	}
	return day
}

// step from one minute of it that is read to the next.
func (x extent) step(window time.Duration) time.Duration {
	if x.older {
		return slo.EventStep(window)
	}
	return time.Minute
}

// backlog is what is to be read of an extent. It has no clock and asks nobody.
type backlog struct {
	extent
	// chunks are read in this order: the newest first, what failed by itself last.
	chunks []chunk
	// size in minutes up to which a chunk is read at once, and how many minutes were
	// read since a failure or a change of the size.
	size, smooth int
	// failures in a row.
	failures int
	// after is when the next chunk may be read.
	after time.Time
}

// newBacklog of these minutes, which are given oldest first, and are of multiples of a
// step.
func newBacklog(of extent, step time.Duration, minutes []time.Time) *backlog {
	b := &backlog{extent: of, size: chunkMinutes}
	for end := len(minutes); end > 0; {
		last := minutes[end-1]
		start, _ := slices.BinarySearchFunc(minutes, last.Add(-(chunkMinutes-1)*step), time.Time.Compare)
		b.chunks = append(b.chunks, chunk{first: minutes[start], last: last, step: step})
		end = start
	}
	return b
}

// next takes what is to be read now: the newest minutes of the first chunk. There is
// one.
func (b *backlog) next() chunk {
	c := b.chunks[0]
	if c.minutes() <= b.size {
		b.chunks = b.chunks[1:]
		return c
	}
	c.first = c.last.Add(-time.Duration(b.size-1) * c.step)
	b.chunks[0].last = c.first.Add(-c.step)
	return c
}

// succeeded says that a chunk was read. Once an hour was, without a failure, twice as
// much is tried: what was too much may have been a source in trouble, and if it was
// not, that costs one failure in an hour's worth.
func (b *backlog) succeeded(c chunk) {
	b.failures = 0
	if b.smooth += c.minutes(); b.smooth >= chunkMinutes {
		b.size, b.smooth = min(2*b.size, chunkMinutes), 0
	}
}

// failed says that of a chunk that was taken the rest was not read. That is tried
// next, in halves: what is too much in one go may not be in parts. What fails although
// it is small is put off, so that it does not keep the others waiting. It returns what
// is not tried again.
func (b *backlog) failed(taken, rest chunk) (lost []chunk) {
	b.smooth = 0
	if taken.minutes() > fewestMinutes {
		b.size = max(fewestMinutes, min(taken.minutes(), b.size)/2)
		b.chunks = slices.Insert(b.chunks, 0, rest)
		return b.failedAgain()
	}
	if rest.failures++; rest.failures >= chunkTries {
		return append(b.failedAgain(), rest)
	}
	b.chunks = append(b.chunks, rest)
	return b.failedAgain()
}

// putOff says that the source was busy, which says nothing about the chunk. It
// returns what is not tried again.
func (b *backlog) putOff(rest chunk) (lost []chunk) {
	b.chunks = append(b.chunks, rest)
	return b.failedAgain()
}

// failedAgain counts failures in a row, and gives all up when there are too many.
func (b *backlog) failedAgain() (lost []chunk) {
	if b.failures++; b.failures >= mostFailures {
		lost, b.chunks = b.chunks, nil
	}
	return lost
}

// turn is the backlog that may be read first, and of several the one with the newest
// minutes; nil when nothing is left.
func turn(backlogs []*backlog, now time.Time) *backlog {
	var first *backlog
	for _, b := range backlogs {
		if len(b.chunks) == 0 {
			continue
		}
		if first == nil || b.isBefore(first, now) {
			first = b
		}
	}
	return first
}

func (b *backlog) isBefore(other *backlog, now time.Time) bool {
	wait, otherWait := max(0, b.after.Sub(now)), max(0, other.after.Sub(now))
	if wait != otherWait {
		return wait < otherWait
	}
	return b.chunks[0].last.After(other.chunks[0].last)
}

// waitUntil keeps the backlog waiting at least until then.
func (b *backlog) waitUntil(then time.Time) {
	if then.After(b.after) {
		b.after = then
	}
}
