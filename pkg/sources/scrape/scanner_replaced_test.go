// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// renamed is read from any of three names, and old_total by nobody else.
var renamed = sources.Signal{
	Name: "requests", Component: sources.KubeAPIServer, Kind: sources.Counter,
	Metrics: []string{"new_total", "middle_total", "old_total"}, Labels: []string{"verb"}, Everywhere: true,
}

// both names of a version, in the order in which they are exposed.
func both(requests int) []string {
	return []string{fmt.Sprintf(`old_total{verb="GET"} %d`, 7*requests), fmt.Sprintf(`new_total{verb="GET"} %d`, requests)}
}

func onlyOld(requests int) []string { return both(requests)[:1] }

// kept names the families of which a process has series.
func (s *script) kept(name string) (families []string) {
	for _, p := range s.source.store.targets[targetID{sources.KubeAPIServer, name}] {
		for _, series := range p.series {
			families = append(families, series.id.family.name)
		}
	}
	return slices.Compact(families)
}

// passed names the families that the next scrape of a target passes over.
func (s *script) passed(name string) (families []string) {
	for f := range s.source.status[targetID{sources.KubeAPIServer, name}].scanner.passed {
		families = append(families, f.name)
	}
	slices.Sort(families)
	return families
}

func (s *script) wantIncrease(window time.Duration, want float64, metrics ...string) {
	s.t.Helper()
	reading := s.read(window)
	if got := increase(s.t, reading, "GET"); got != want {
		s.t.Errorf("%v requests, want %v", got, want)
	}
	if got := reading.Results["requests"]; !slices.Equal(got.Metrics, metrics) || len(got.Missing) > 0 {
		s.t.Errorf("read from %q, missing from %q, want %q", got.Metrics, got.Missing, metrics)
	}
}

func TestOldNameIsNotKept(t *testing.T) {
	s := newScript(t, nil, renamed)
	for minute := range 6 {
		s.page(sources.KubeAPIServer, "a").set(body(time.Hour, both(10*minute)...))
		s.collect()
		if kept := s.kept("a"); !slices.Equal(kept, []string{"new_total"}) {
			t.Fatalf("keeps %q", kept)
		}
	}
	if passed := s.passed("a"); !slices.Equal(passed, []string{"middle_total", "old_total"}) {
		t.Errorf("passes over %q", passed)
	}
	s.wantIncrease(5*time.Minute, 50, "new_total")
}

// What another signal reads is kept, whatever the first one prefers.
func TestOldNameIsReadByAnother(t *testing.T) {
	other := sources.Signal{Name: "other", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"old_total"}}
	s := newScript(t, nil, renamed, other)
	for minute := range 3 {
		s.page(sources.KubeAPIServer, "a").set(body(time.Hour, both(10*minute)...))
		s.collect()
	}
	s.wantIncrease(2*time.Minute, 20, "new_total")
	if got := s.read(2 * time.Minute).Results["other"].Series; len(got) != 1 || got[0].Increase != 140 {
		t.Errorf("other: %+v", got)
	}
}

// A family that appears with its first use replaces the one that was read until
// then; what it counted was counted within the window.
func TestPreferredAppears(t *testing.T) {
	s := newScript(t, nil, renamed)
	for minute := range 7 {
		lines := onlyOld(10 * minute)
		if minute >= 4 {
			lines = both(10 * minute)
		}
		s.page(sources.KubeAPIServer, "a").set(body(time.Hour, lines...))
		s.collect()
		if minute == 3 {
			s.wantIncrease(3*time.Minute, 210, "old_total")
		}
	}
	s.wantIncrease(4*time.Minute, 60, "new_total") // all of new_total since it is there
	if kept := s.kept("a"); !slices.Equal(kept, []string{"new_total"}) {
		t.Errorf("keeps %q", kept)
	}
	// What was read before is gone: that is missing, not zero.
	reading, err := s.source.Read(quiet(), s.now.Add(-3*time.Minute), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if got := reading.Results["requests"]; len(got.Series) > 0 || !slices.Equal(got.Missing, []string{"a"}) {
		t.Errorf("before it appeared: %+v", got)
	}
}

// A rollback at the same address: the first answer of the older version was not read
// in full, and is refused; the second one is read, and counts from the birth of the
// process.
func TestRollback(t *testing.T) {
	s := newScript(t, nil, renamed)
	for minute := range 10 {
		lines := body(time.Hour, both(10*minute)...)
		if minute >= 5 {
			lines = body(-5*time.Minute, onlyOld(10*minute)...)
		}
		s.page(sources.KubeAPIServer, "a").set(lines)
		s.collect()
		if minute == 5 {
			const want = "requests: no new_total, which the last answer had, and middle_total, old_total were not read; the next answer is read in full"
			if problem := s.source.status[targetID{sources.KubeAPIServer, "a"}].problem; !strings.HasSuffix(problem, want) {
				t.Errorf("problem %q", problem)
			}
			s.wantIncrease(4*time.Minute, 30, "new_total") // up to the scrape before
		}
	}
	s.wantIncrease(6*time.Minute, 10*1+7*90, "new_total", "old_total")
}

// Versions that are mixed behind one address are both read: after the first answer
// that was not read in full, all are.
func TestMixedVersions(t *testing.T) {
	s := newScript(t, nil, renamed)
	refused := 0
	for minute := range 60 {
		lines := body(48*time.Hour, both(1000+10*minute)...)
		if minute%2 == 1 {
			lines = body(24*time.Hour, onlyOld(500+minute)...)
		}
		s.page(sources.KubeAPIServer, "lb").set(lines)
		s.collect()
		if s.source.status[targetID{sources.KubeAPIServer, "lb"}].problem != "" {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d answers were refused, want the first of the older version", refused)
	}
	// The younger process is read up to minute 59, the older one up to minute 58.
	s.wantIncrease(4*time.Minute, 40+7*4, "new_total", "old_total")
}

// An older version that answers one scrape in 45 is read, but for its first answer.
func TestRareOldVersion(t *testing.T) {
	s := newScript(t, nil, renamed)
	for minute := range 400 {
		lines := body(48*time.Hour, both(1000+10*minute)...)
		if minute%45 == 44 {
			lines = body(24*time.Hour, onlyOld(500+minute)...)
		}
		s.page(sources.KubeAPIServer, "lb").set(lines)
		s.collect()
		problem := s.source.status[targetID{sources.KubeAPIServer, "lb"}].problem
		if refused := problem != ""; refused != (minute == 44) {
			t.Errorf("minute %d: problem %q", minute, problem)
		}
		if minute%45 == 44 && minute > 44 && len(s.read(5*time.Minute).Instances) != 2 {
			t.Errorf("minute %d: instances %q", minute, names(s.read(5*time.Minute)))
		}
	}
}

// A process that lacks what it had is another one, if it does not tell when it started.
func TestRollbackWithoutStartTime(t *testing.T) {
	s := newScript(t, nil, renamed)
	for minute := range 30 {
		lines := both(10 * minute)
		if minute >= 10 && minute < 20 {
			lines = onlyOld(minute)
		}
		s.page(sources.KubeAPIServer, "a").set(strings.Join(lines, "\n") + "\n")
		s.collect()
		if minute == 19 {
			s.wantIncrease(5*time.Minute, 7*5, "old_total")
		}
	}
	s.wantIncrease(5*time.Minute, 50, "new_total") // after the upgrade
}

// What the newest answer lacks is missing, whatever came before.
func TestFamilyVanishes(t *testing.T) {
	s := newScript(t, nil, renamed)
	for minute := range 10 {
		lines := both(10 * minute)
		if minute >= 8 {
			lines = nil
		}
		s.page(sources.KubeAPIServer, "a").set(body(time.Hour, lines...))
		s.collect()
		if got := s.read(5 * time.Minute).Results["requests"].Missing; minute > 8 && !slices.Equal(got, []string{"a"}) {
			t.Errorf("minute %d: missing from %q", minute, got)
		}
	}
	reading, err := s.source.Read(quiet(), s.now.Add(-3*time.Minute), 5*time.Minute)
	if err != nil || len(reading.Results["requests"].Missing) > 0 {
		t.Errorf("before it vanished: %+v, %v", reading.Results["requests"], err)
	}
}
