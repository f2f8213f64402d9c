// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"sync"
	"time"
)

// queue bounds the scrapes under way of one component. Those that wait for a place
// have no goroutine yet.
//
// A target that hangs would hold its place for all of the timeout, and the zone of
// a cloud that goes away is a third of all nodes. So a scrape that takes longer
// than patience passes its place on, as long as few do so, and a target that has
// timed out is waited for in a queue of its own.
type queue struct {
	places int // of scrapes under way, those that are slow not counted
	slow   int // scrapes that may go on without a place

	mu      sync.Mutex
	waiting []func()
	busy    int // places
	late    int // scrapes that go on without one
}

const (
	// patience with a scrape before its place is passed on. A kubelet takes some
	// 10 ms to render its metrics, a large kube-apiserver about a second.
	patience = time.Second
	// slowPerPlace is how many more targets may be waited for than scraped. One
	// that does not answer costs a connection and some goroutines, and no buffers:
	// they are taken when an answer arrives.
	slowPerPlace = 4
)

// queues of one component.
type queues struct {
	prompt   *queue
	timedOut *queue // targets whose last scrape has timed out
}

func newQueues(places int) queues {
	return queues{
		prompt:   &queue{places: places, slow: slowPerPlace * places},
		timedOut: &queue{places: slowPerPlace * places}, // their places are not passed on
	}
}

// add a scrape to the end of the queue. It is done by the time scrapes is.
func (q *queue) add(scrapes *sync.WaitGroup, scrape func()) {
	scrapes.Add(1)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, func() {
		defer scrapes.Done()
		q.hold(scrape)
	})
	q.fill()
}

// fill the places that are free. q.mu is held.
func (q *queue) fill() {
	for ; q.busy < q.places && len(q.waiting) > 0; q.busy++ {
		go q.waiting[0]()
		q.waiting = q.waiting[1:]
	}
}

// hold a place while a scrape lasts, or for as long as patience does.
func (q *queue) hold(scrape func()) {
	var passOn *time.Timer
	over, late := false, false
	q.mu.Lock()
	passOn = time.AfterFunc(patience, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		switch {
		case over:
		case q.late >= q.slow:
			passOn.Reset(patience)
		default:
			late = true
			q.late++
			q.busy--
			q.fill()
		}
	})
	q.mu.Unlock()
	defer func() {
		passOn.Stop()
		q.mu.Lock()
		defer q.mu.Unlock()
		over = true
		if late {
			q.late--
			return
		}
		q.busy--
		q.fill()
	}()
	scrape()
}
