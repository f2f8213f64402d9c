// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"sync"
	"time"
)

// queue bounds the scrapes that begin of one component. Those that wait for a place
// have no goroutine yet.
//
// A target that hangs, or that the network is slow to give up, would hold its place
// for seconds, and the zone of a cloud that goes away is a third of all nodes. So a
// scrape that takes longer than patience passes its place on, and goes on beside.
// After a failure as slow as that, a target waits in a queue of its own.
type queue struct {
	places   int
	patience time.Duration // 0: places are not passed on

	mu      sync.Mutex
	waiting []func()
	busy    int // places
}

const (
	// patience with a scrape before its place is passed on. A kubelet takes some
	// 10 ms to render its metrics. When a third of 5,000 nodes goes away, 111 come due
	// a second that hold a place for as long as this, before they are known to be
	// slow: of 32 places 128 a second are passed on. What goes on beside costs some
	// goroutines and no buffers, which are taken when an answer arrives. It is bounded
	// by the timeout: with 10 s, 40 scrapes to a place.
	patience = time.Second / 4
	// slowPerPlace is how many scrapes of slow targets may be under way for each place:
	// as many as go on beside it, so that a zone is back soon after its nodes are.
	slowPerPlace = 40
)

// queues of one component.
type queues struct {
	prompt *queue
	slow   *queue // targets whose last scrape has failed slowly
}

func newQueues(places int) queues {
	return queues{
		prompt: &queue{places: places, patience: patience},
		slow:   &queue{places: slowPerPlace * places},
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
	passOn := sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.busy--
		q.fill()
	})
	defer passOn()
	if q.patience > 0 {
		late := time.AfterFunc(q.patience, passOn)
		defer late.Stop()
	}
	scrape()
}
