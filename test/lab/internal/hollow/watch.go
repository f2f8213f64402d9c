// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"io"
	"net/http"
	"time"
)

// lateWatch is a transport by which events of watches arrive later than answers.
//
// The kubelet counts a pod as started when its watch shows the status that the kubelet itself has written, provided
// that it has handled the answer to that write by then (pkg/kubelet/util/pod_startup_latency_tracker.go,
// ObservedPodOnWatch and RecordStatusUpdated). On loopback one event in twenty overtakes the answer: the pod is then
// counted at its next change, which can be its end, and the SLI has a start of many seconds that nobody waited for.
type lateWatch struct {
	http.RoundTripper
	by time.Duration
}

// RoundTrip delays the body of watches.
func (l lateWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err == nil && r.URL.Query().Get("watch") == "true" {
		response.Body = newLateBody(response.Body, l.by)
	}
	return response, err
}

// lateBody passes each piece on some time after it came, however many come in between.
type lateBody struct {
	body   io.ReadCloser
	pieces chan piece
	closed chan struct{}
	rest   piece
}

type piece struct {
	data []byte
	err  error
	due  time.Time
}

func newLateBody(body io.ReadCloser, by time.Duration) *lateBody {
	l := &lateBody{body: body, pieces: make(chan piece, 64), closed: make(chan struct{})}
	go l.receive(by)
	return l
}

func (l *lateBody) receive(by time.Duration) {
	for {
		data := make([]byte, 16<<10)
		n, err := l.body.Read(data)
		select {
		case l.pieces <- piece{data[:n], err, time.Now().Add(by)}:
		case <-l.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read is for one reader at a time, as every body is.
func (l *lateBody) Read(into []byte) (int, error) {
	if len(l.rest.data) == 0 && l.rest.err == nil {
		select {
		case l.rest = <-l.pieces:
		case <-l.closed:
			return 0, http.ErrBodyReadAfterClose
		}
		select {
		case <-time.After(time.Until(l.rest.due)):
		case <-l.closed:
			return 0, http.ErrBodyReadAfterClose
		}
	}
	n := copy(into, l.rest.data)
	l.rest.data = l.rest.data[n:]
	if len(l.rest.data) > 0 {
		return n, nil
	}
	return n, l.rest.err
}

// Close is called once.
func (l *lateBody) Close() error {
	close(l.closed)
	return l.body.Close()
}
