// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// Read returns what the signals did over (at-window, at], by the rule
// sources.Exact. See sources.Source for what holds of any source. Of this one:
//
//   - A target that is no longer found is no instance of the reading, but what it
//     counted in the window is in the results, with a warning: requests served
//     before a kube-apiserver moved to another address do not vanish.
//   - An instance that is not observed is in no result, not even with what it
//     counted before: half of a window is no answer.
//   - What a process counted between its last sample and its end is never known.
//   - A window longer than the history is read from the oldest sample held.
//
// It is an error to read before the first scrape was attempted.
func (s *Source) Read(_ context.Context, at time.Time, length time.Duration) (*sources.Reading, error) {
	if length <= 0 {
		return nil, fmt.Errorf("read a window of %s: must be positive", length)
	}
	if err := s.Ready(); err != nil {
		return nil, err
	}
	w := window{at: at, length: length, stale: s.config.Interval * 5 / 2} // two scrapes missed
	expected, sampled, warnings := s.expected()
	r := reading{
		window:   w,
		expected: expected,
		members:  map[sources.Component][]member{},
		out: &sources.Reading{
			At: at, Window: length, Rule: sources.Exact, Sampled: sampled,
			Origin:   sources.Origin{Kind: sources.Scraped},
			Results:  make(map[string]sources.Result, len(s.config.Signals)),
			Warnings: warnings,
		},
	}
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	r.addExpected(s.store)
	r.addGone(s.store)
	r.warnRefused(s.config.Limits)
	slices.SortFunc(r.out.Instances, func(a, b sources.Instance) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Name, b.Name))
	})
	r.out.Warnings = append(r.out.Warnings, sources.Twins(r.out.Instances)...)
	common := &shared{byFamily: map[*process]map[string][]*series{}}
	for _, signal := range s.config.Signals {
		r.out.Results[signal.Name] = resultOf(signal, w, r.members[signal.Component], common)
	}
	return r.out, nil
}

// errNotYet is the one reason for which the source is not ready.
var errNotYet = errors.New("no scrape has been attempted yet")

// reading is a Reading in the making.
type reading struct {
	window   window
	expected map[targetID]expectation
	members  map[sources.Component][]member
	out      *sources.Reading
}

// expectation is what is known of a target beside its samples.
type expectation struct {
	// problem of the last scrape; "" when it succeeded.
	problem string
	// url of its metrics.
	url string
}

// addExpected adds the instances of the targets that should be read.
func (r *reading) addExpected(s *store) {
	for _, id := range sortedIDs(r.expected) {
		members, shared := r.window.members(id, s.targets[id])
		if shared {
			r.warn(sources.SharedAddress, id.component, memberNames(members),
				"%s %s is answered by %d processes, as behind a load balancer: each is counted by its start time, those that never answer are not counted",
				id.component, id.name, len(members))
		}
		if len(members) == 0 {
			members = []member{{Instance: sources.Instance{
				Component: id.component, Name: id.name, Problem: "never read",
			}}}
		}
		for _, m := range members {
			m.URL = r.expected[id].url
			if problem := r.expected[id].problem; !m.Observed && problem != "" {
				m.Problem += ": " + problem
			}
			r.out.Instances = append(r.out.Instances, m.Instance)
			r.members[id.component] = append(r.members[id.component], m)
		}
	}
}

// addGone adds what targets counted in the window that are no longer found.
func (r *reading) addGone(s *store) {
	gone := map[sources.Component][]string{}
	for _, id := range sortedIDs(s.targets) {
		if _, expected := r.expected[id]; expected {
			continue
		}
		members, _ := r.window.members(id, s.targets[id])
		for _, m := range members {
			if !m.spans[len(m.spans)-1].last().After(r.window.start()) {
				continue
			}
			m.gone = true
			gone[id.component] = append(gone[id.component], m.Name)
			r.members[id.component] = append(r.members[id.component], m)
		}
	}
	for _, component := range slices.Sorted(maps.Keys(gone)) {
		r.warn(sources.TargetGone, component, gone[component],
			"%s %s: no longer a target, what it counted in the window is included", component, some(gone[component]))
	}
}

// warnRefused says that the figures are short of series.
func (r *reading) warnRefused(limits Limits) {
	for _, component := range slices.Sorted(maps.Keys(r.members)) {
		var names []string
		for _, m := range r.members[component] {
			if slices.ContainsFunc(m.spans, func(s span) bool { return !s.process.refused.IsZero() }) {
				names = append(names, m.Name)
			}
		}
		if len(names) > 0 {
			r.warn(sources.SeriesLimit, component, names,
				"%s %s: more than %d series, the limit per target; new ones are left out", component, some(names), limits.SeriesPerTarget)
		}
	}
}

func (r *reading) warn(reason sources.Reason, component sources.Component, instances []string, format string, args ...any) {
	r.out.Warnings = append(r.out.Warnings, sources.Warning{
		Reason: reason, Component: component, Instances: instances, Message: fmt.Sprintf(format, args...),
	})
}

func memberNames(members []member) []string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.Name
	}
	return names
}

func sortedIDs[V any](m map[targetID]V) []targetID {
	return slices.SortedFunc(maps.Keys(m), func(a, b targetID) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.name, b.name))
	})
}

// some of the names, and how many more there are.
func some(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
