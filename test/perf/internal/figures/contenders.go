// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"bytes"
	"context"
	"errors"
	"time"

	"example.io/slo-apiserver/test/perf/internal/peer"
	"example.io/slo-apiserver/test/perf/internal/subject"
)

// ours is the product.
type ours struct{ *subject.Subject }

func newOurs(instances []string) (ours, error) {
	s, err := subject.New(History+2*Interval, instances...)
	return ours{s}, err
}

func (o ours) scrape(ctx context.Context, format Format, b Bodies) error {
	o.Scrape(ctx, b.Answers, format.ContentType(), b.At)
	return nil // whether it was read is checked once, after the measurement
}

// theirs is Prometheus.
type theirs struct {
	storage *peer.Storage
	loops   map[string]*peer.Loop
	names   []string
}

// newTheirs keeps all families, as Prometheus does unless it is told otherwise, or
// only those for which keep is true.
func newTheirs(instances []string, keep func(metric string) bool) (*theirs, error) {
	storage, err := peer.NewStorage(begin)
	if err != nil {
		return nil, err
	}
	t := &theirs{storage: storage, loops: map[string]*peer.Loop{}, names: instances}
	for _, name := range instances {
		t.loops[name] = peer.NewLoop(storage, peer.Options{Instance: name, Job: "apiserver", Keep: keep})
	}
	return t, nil
}

func (t *theirs) scrape(ctx context.Context, format Format, b Bodies) error {
	for _, name := range t.names {
		if _, err := t.loops[name].Scrape(ctx, b.Answers[name], format.ContentType(), b.At); err != nil {
			return err
		}
	}
	return nil
}

// neededSamples says whether a sample is of a family that the product reads.
func neededSamples(metric string) bool {
	if subject.Needed(metric) {
		return true
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if n := len(metric) - len(suffix); n > 0 && metric[n:] == suffix && subject.Needed(metric[:n]) {
			return true
		}
	}
	return false
}

// memchr looks for the ends of all lines: nobody reads text faster who has to find
// its lines.
type memchr struct{ lines *int }

func (m memchr) scrape(_ context.Context, _ Format, b Bodies) error {
	for _, body := range b.Answers {
		for len(body) > 0 {
			i := bytes.IndexByte(body, '\n')
			if i < 0 {
				return errors.New("a body does not end with a line")
			}
			body = body[i+1:]
			*m.lines++
		}
	}
	return nil
}

// fill contenders with the same bodies and return the time of the last.
func fill(ctx context.Context, feed Feed, format Format, scrapes int, contenders ...contender) (last time.Time, err error) {
	for range scrapes {
		b, err := feed.Next()
		if err != nil {
			return last, err
		}
		for _, c := range contenders {
			if err := c.scrape(ctx, format, b); err != nil {
				return last, err
			}
		}
		last = b.At
	}
	return last, nil
}
