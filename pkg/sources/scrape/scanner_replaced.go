// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A metric that was renamed is exposed under both names for some versions, the old
// one first, and is as large under either. Families are therefore passed over that
// every signal has a preferred one for:
//
//   - By the store, of a process that has exposed the preferred one: what is read
//     of it is that, from then on (see result.metricOf).
//   - By the scanner, which does not know the process before it has read the answer, of
//     a target whose last answer had the preferred one. Where that turns out to be
//     wrong, because an older version answers there, too, the answer is refused: what
//     it counted so far would seem to begin at zero with the next one. From then on
//     the target is read in full, however rarely the older version answers.

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

// wanted is the family with this name, nil for one that is not read.
func (s *scanner) wanted(name []byte) *family {
	if f := s.plan[string(name)]; f != nil && !s.passed[f] {
		return f
	}
	return nil
}

// passOver in the next answer what is replaced in this one, or refuse this one.
func (s *scanner) passOver() error {
	if s.wary {
		return nil
	}
	var unread []string
	for name, f := range s.plan {
		switch isReplaced := f.replaced(s.result.has); {
		case isReplaced && !s.passed[f]:
			set(&s.passed, f, true)
		case !isReplaced && s.passed[f]:
			unread = append(unread, name)
		}
	}
	if len(unread) > 0 {
		err := s.refusal(unread)
		s.passed, s.wary = nil, true
		return err
	}
	if len(s.passed) > 0 {
		s.had = slices.AppendSeq(s.had[:0], maps.Keys(s.result.families))
	}
	return nil
}

// refusal of an answer of which the metrics with these names were not read: for each
// signal that needs one of them, what is not there, and what was not read.
func (s *scanner) refusal(unread []string) error {
	lines := map[string]bool{}
	for _, name := range unread {
		for _, signal := range s.plan[name].signals {
			if slices.ContainsFunc(preferred(s.plan[name], signal.Metrics), s.result.has) {
				continue
			}
			had := slices.IndexFunc(signal.Metrics, func(metric string) bool { return slices.Contains(s.had, metric) })
			passed := slices.DeleteFunc(slices.Clone(signal.Metrics), func(metric string) bool { return !slices.Contains(unread, metric) })
			lines[fmt.Sprintf("%s: no %s, which the last answer had, and %s were not read",
				signal.Name, signal.Metrics[had], strings.Join(passed, ", "))] = true
		}
	}
	return fmt.Errorf("%s; the next answer is read in full", strings.Join(slices.Sorted(maps.Keys(lines)), "; "))
}

func set[V any](m *map[*family]V, f *family, v V) {
	if *m == nil {
		*m = map[*family]V{}
	}
	(*m)[f] = v
}
