// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package evaluation

import (
	"context"
	"slices"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// hedging is answering with what the source has to say beside it, for all or for one
// signal.
type hedging struct {
	answering
	warnings []sources.Warning
	signal   string
}

func (s *hedging) Read(ctx context.Context, at time.Time, window time.Duration) (*sources.Reading, error) {
	reading, err := s.answering.Read(ctx, at, window)
	if err != nil || s.signal == "" {
		reading.Warnings = s.warnings
		return reading, err
	}
	result := reading.Results[s.signal]
	result.Warnings = s.warnings
	reading.Results[s.signal] = result
	return reading, nil
}

// A minute of which the source says that it did not tell all is unknown, for the
// objective, its keys and its events; what was seen to be bad was bad. It is read again
// once the source tells all, and so is one of a signal that could not be read.
func TestMinutesOfPartialAnswers(t *testing.T) {
	partial := []sources.Warning{{Reason: sources.PartialResponse, Message: "a store is away"}}
	failed := []sources.Warning{{Reason: sources.QueryFailed, Message: "422"}}
	remark := []sources.Warning{{Reason: sources.QueryRemark, Message: "PromQL info: a name"}}
	for _, test := range []struct {
		name       string
		source     *hedging
		day        [2]int32 // good and bad, of the latency
		good, keys int
		events     int64
		again      []string // questions about the ratio
	}{
		{"good", &hedging{warnings: partial}, [2]int32{0, 0}, 0, 0, 0, []string{"[code] 02 12:00..02 12:00"}},
		{"bad", &hedging{answering: answering{traffic{slow: 2}}, warnings: partial}, [2]int32{0, 1}, 0, 1, 0, []string{"[code] 02 12:00..02 12:00"}},
		{"of one signal", &hedging{warnings: failed, signal: requests}, [2]int32{1, 0}, 0, 1, 0, []string{"[code] 02 12:00..02 12:00"}},
		{"of a signal that tells whose figures these are", &hedging{warnings: failed, signal: sources.SignalBuildInfo}, [2]int32{0, 0}, 0, 0, 0, []string{"[code] 02 12:00..02 12:00"}},
		{"of a signal without a day", &hedging{warnings: failed, signal: "executing-seats"}, [2]int32{1, 0}, 1, 1, 100, nil},
		{"a remark", &hedging{warnings: remark}, [2]int32{1, 0}, 1, 1, 100, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &remembering{}
			e, clock := remembersRatio(t, test.source, h, "")
			wantDay(t, e, test.day[0], test.day[1])
			status := ratioReport(t, e).Status
			if got := status.RequestBurnRates[2].Requests; got != test.events || int(status.Day.GoodMinutes) != test.good || len(e.KeyDays(mutating)) != test.keys {
				t.Errorf("%d events, day %+v, days of keys %+v", got, status.Day, e.KeyDays(mutating))
			}
			runBackfill(t, e, clock)
			day := len(h.questions(requests))
			// The source tells all from 12:01 on.
			test.source.warnings = nil
			for range askAgain / time.Minute {
				clock.Step(time.Minute)
				latest(t, e)
			}
			runBackfill(t, e, clock)
			if got := h.questions(requests)[day:]; !slices.Equal(got, test.again) {
				t.Errorf("asked for %q, want %q", got, test.again)
			}
			if clock.Step(interval); ratioReport(t, e).Status.Day.UnknownMinutes != 0 {
				t.Errorf("day %+v", ratioReport(t, e).Status.Day)
			}
		})
	}
}
