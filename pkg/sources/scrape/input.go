// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"io"
)

// input reads a body through a buffer that grows to what has to be seen at once.
type input struct {
	r          io.Reader
	buffer     []byte
	start, end int   // of what was read and not yet consumed
	err        error // of r
}

// smallestInput buffer, in bytes.
const smallestInput = 64 << 10

// unread is what is in the buffer.
func (in *input) unread() []byte { return in.buffer[in.start:in.end] }

// peek returns at least n bytes without consuming them, or all that is left. They
// are valid until the next call. The buffer grows only as bytes arrive, however
// large n is.
func (in *input) peek(n int) ([]byte, error) {
	for in.end-in.start < n && in.err == nil {
		in.more()
	}
	if in.end-in.start >= n || errors.Is(in.err, io.EOF) {
		return in.unread(), nil
	}
	return nil, in.err
}

// more reads once.
func (in *input) more() {
	if in.end == len(in.buffer) {
		if in.start > len(in.buffer)/2 {
			in.end = copy(in.buffer, in.unread())
			in.start = 0
		} else {
			larger := make([]byte, max(smallestInput, 2*len(in.buffer)))
			in.end = copy(larger, in.unread())
			in.buffer, in.start = larger, 0
		}
	}
	var n int
	n, in.err = in.r.Read(in.buffer[in.end:])
	in.end += n
}

// skip n bytes.
func (in *input) skip(n int) error {
	for n > in.end-in.start {
		n -= in.end - in.start
		in.start, in.end = 0, 0
		if in.err != nil {
			return in.err
		}
		in.more()
	}
	in.start += n
	return nil
}
