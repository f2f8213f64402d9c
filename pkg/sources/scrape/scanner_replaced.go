// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"slices"
	"strings"
)

// A metric that was renamed is exposed under both names for some versions, the old
// one first, and is as large under either. Families are therefore passed over that
// every signal has a preferred one for:
//
//   - By the store, of a process that has exposed the preferred one: what is read
//     of it is that, from then on (see result.metricOf).
//   - By the scanner, which does not know the process before it has read the
//     answer, of a target whose answers have had the preferred one. Where that turns
//     out to be wrong, because an older version answers there, too, the answer is
//     refused: what it counted so far would seem to begin at zero with the next one.
//     The next one is read in full, and so are those after it.

// trusted is after how many answers in full a target that once lacked a preferred
// family is believed to have it from then on: ten minutes of the default interval.
// Of several processes behind one address, each has answered in that time.
const trusted = 40

// replaced says that every signal that reads the family prefers another one that is
// there.
func (f *family) replaced(isThere func(metric string) bool) bool {
	if len(f.signals) == 0 || f.name == startTime {
		return false
	}
	for _, signal := range f.signals {
		if !slices.ContainsFunc(preferred(f, signal.Metrics), isThere) {
			return false
		}
	}
	return true
}

// preferred metrics of a signal, before f.
func preferred(f *family, metrics []string) []string {
	return metrics[:slices.Index(metrics, f.name)]
}

// anything is there.
func anything(string) bool { return true }

// wanted is the family with this name, nil for one that is not read.
func (s *scanner) wanted(name []byte) *family {
	if f := s.plan[string(name)]; f != nil && !s.passed[f] {
		return f
	}
	return nil
}

// passOver in the next answer what is replaced in this one, or refuse this one.
func (s *scanner) passOver() error {
	isThere := func(metric string) bool { return s.result.families[metric] }
	var missed *family
	for _, f := range s.plan {
		switch {
		case !f.replaced(anything):
		case !f.replaced(isThere):
			if s.passed[f] && (missed == nil || f.name > missed.name) {
				missed = f
			}
			set(&s.lacked, f, s.scan)
			delete(s.passed, f)
		case s.lacked[f] == 0 || s.scan-s.lacked[f] > trusted:
			set(&s.passed, f, true)
		}
	}
	if missed == nil {
		return nil
	}
	var names []string
	for _, signal := range missed.signals {
		names = append(names, preferred(missed, signal.Metrics)...)
	}
	slices.Sort(names)
	return fmt.Errorf("the answer has no %s, which the last one had, and %s was not read in its place: it is from the next scrape on",
		strings.Join(slices.Compact(names), " or "), missed.name)
}

func set[V any](m *map[*family]V, f *family, v V) {
	if *m == nil {
		*m = map[*family]V{}
	}
	(*m)[f] = v
}
