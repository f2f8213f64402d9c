// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"fmt"
	"net/http"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// compareClocks takes the clock of the backend from an answer. What we call now is the
// past of a backend that is ahead: its samples of then are all there, so that nothing
// else would show it.
func (s *session) compareClocks(date string, now time.Time) {
	told, err := http.ParseTime(date)
	if err != nil {
		return // there is no clock to compare with
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = told.Sub(now.Truncate(time.Second))
}

// skewed warns of clocks that differ by more than a window may miss at its ends.
func (s *session) skewed(window time.Duration) []sources.Warning {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.skew.Abs() <= sources.Slack(window) {
		return nil
	}
	direction := "ahead of"
	if s.skew < 0 {
		direction = "behind"
	}
	return []sources.Warning{{
		Reason:  sources.FutureSamples,
		Message: fmt.Sprintf("the clock of %s is %s %s ours: the window is another one than it seems; set the clocks", s.address(), s.skew.Abs().Round(time.Second), direction),
	}}
}
