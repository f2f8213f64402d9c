// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package figures measures the figures of the project against their reach, each
// beside the peer where there is one: same bodies, same run.
package figures

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.io/slo-apiserver/test/perf/internal/gen"
)

// Interval between two scrapes of a target.
const Interval = 15 * time.Second

// History that is kept, and the window of the reports.
const (
	History = 10 * time.Minute
	Window  = 5 * time.Minute
)

// Format of a body.
type Format string

// The formats that a kube-apiserver speaks and the product asks for.
const (
	Protobuf Format = "protobuf"
	Text     Format = "text"
)

// ContentType that comes with the format.
func (f Format) ContentType() string {
	if f == Text {
		return gen.TextContentType
	}
	return gen.ProtoContentType
}

// Bodies of the instances of a cluster, by name, at one time.
type Bodies struct {
	At      time.Time
	Answers map[string][]byte
}

func (b Bodies) bytes() (sum int) {
	for _, body := range b.Answers {
		sum += len(body)
	}
	return sum
}

// Feed gives the bodies of one scrape after the other.
type Feed interface {
	Instances() []string
	// Next returns errExhausted when there are no more.
	Next() (Bodies, error)
}

var errExhausted = errors.New("no more bodies")

// generated bodies.
type generated struct {
	format    Format
	names     []string
	processes []*gen.Process
	now       time.Time
	// last sizes, to allocate the next body at once.
	last []int
}

// begin of all made-up histories.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// NewGenerated returns the feed of a made-up cluster.
func NewGenerated(format Format, combinations, instances int) (Feed, error) {
	return newGenerated(format, combinations, instances)
}

func newGenerated(format Format, combinations, instances int) (*generated, error) {
	g := &generated{format: format, now: begin, last: make([]int, instances)}
	for i := range instances {
		p, err := gen.New(gen.Config{Combinations: combinations, Seed: uint64(i + 1), Now: begin.Add(-Interval)})
		if err != nil {
			return nil, err
		}
		// No two of a cluster start in the same moment.
		g.processes = append(g.processes, p)
		g.names = append(g.names, fmt.Sprintf("10.0.0.%d:6443", i+1))
	}
	return g, nil
}

// Instances that were made up.
func (g *generated) Instances() []string { return g.names }

// Next body; there is always one.
func (g *generated) Next() (Bodies, error) {
	b := Bodies{At: g.now, Answers: map[string][]byte{}}
	for i, p := range g.processes {
		p.Advance(g.now)
		body := make([]byte, 0, g.last[i]+g.last[i]/50+4096)
		if g.format == Text {
			body = p.AppendText(body)
		} else {
			body = p.AppendProto(body)
		}
		g.last[i] = len(body)
		b.Answers[g.names[i]] = body
	}
	g.now = g.now.Add(Interval)
	return b, nil
}

// Recorded are bodies that were taken before.
type Recorded struct {
	Names  []string
	Bodies []Bodies
}

// Instances that were recorded.
func (r *Recorded) Instances() []string { return r.Names }

// Next body.
func (r *Recorded) Next() (Bodies, error) {
	if len(r.Bodies) == 0 {
		return Bodies{}, errExhausted
	}
	b := r.Bodies[0]
	r.Bodies = r.Bodies[1:]
	return b, nil
}

// contender takes the bodies of one scrape.
type contender interface {
	scrape(ctx context.Context, format Format, b Bodies) error
}
