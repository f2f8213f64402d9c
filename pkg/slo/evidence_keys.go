// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package slo

import (
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// choice of a key for an expression.
type choice int

const (
	// either: with or without the key the expression gives the same.
	either choice = iota
	in
	out
)

// among the keys with requests, those are in. One without requests changes nothing,
// unless the total latency has some.
func among(isIn func(*tally) bool) func(*tally) choice {
	return func(t *tally) choice {
		switch {
		case !(t.count > 0) && !t.unreadable && !t.stray:
			return either
		case t.count > 0 && isIn(t):
			return in
		}
		return out
	}
}

// counts says that the key is of the objective.
func (t *tally) counts() bool { return t.excluded == "" }

// selections of the keys that are in, and of none that is out; none: no key is in.
func (f figures) selections(choose func(*tally) choice) []sources.Selection {
	decided := slices.DeleteFunc(slices.Clone(f.tallies), func(t *tally) bool { return choose(t) == either })
	var selections []sources.Selection
	for _, s := range split(decided, f.Key, func(t *tally) bool { return choose(t) == in }) {
		selections = append(selections, f.selection(s...))
	}
	return selections
}

// selection of the objective's own series, narrowed down.
func (f figures) selection(more ...sources.Matcher) sources.Selection {
	var s sources.Selection
	if f.Verbs != nil {
		verbs := f.Verbs
		if slices.ContainsFunc(f.tallies, func(t *tally) bool { return t.unnamed }) {
			verbs = append(slices.Clone(verbs), "")
		}
		s = append(s, sources.Matcher{Label: labelVerb, Values: verbs})
	}
	if f.Scope != "" {
		s = append(s, sources.Matcher{Label: labelScope, Values: []string{f.Scope}})
	}
	return append(s, more...)
}

// narrowed selections: more has to fit as well.
func narrowed(selections []sources.Selection, more []sources.Matcher) []sources.Selection {
	all := make([]sources.Selection, len(selections))
	for i, s := range selections {
		all[i] = slices.Concat(s, more)
	}
	return all
}

// split keys into selections of those that are in, which exclude each other: as far as
// all keys with one value of a label stand alike, by that label alone.
func split(tallies []*tally, labels []string, isIn func(*tally) bool) []sources.Selection {
	switch {
	case !slices.ContainsFunc(tallies, func(t *tally) bool { return !isIn(t) }):
		return []sources.Selection{nil}
	case len(labels) == 0 || !slices.ContainsFunc(tallies, isIn):
		return nil
	}
	label := labels[0]
	byValue := map[string][]*tally{}
	var values []string // sorted, for the same text each time
	for _, t := range tallies {
		value := t.label(label)
		if byValue[value] == nil {
			values = append(values, value)
		}
		byValue[value] = append(byValue[value], t)
	}
	slices.Sort(values)
	var pure []string
	var mixed []sources.Selection
	for _, value := range values {
		parts := split(byValue[value], labels[1:], isIn)
		if len(parts) == 1 && parts[0] == nil {
			pure = append(pure, value)
			continue
		}
		for _, part := range parts {
			own := sources.Matcher{Label: label, Values: []string{value}}
			mixed = append(mixed, append(sources.Selection{own}, part...))
		}
	}
	if len(pure) == 0 {
		return mixed
	}
	others := slices.DeleteFunc(values, func(v string) bool { return slices.Contains(pure, v) })
	these, notThese := sources.Matcher{Label: label, Values: pure}, sources.Matcher{Label: label, Values: others, Not: true}
	if len(notThese.String()) < len(these.String()) {
		these = notThese
	}
	return append([]sources.Selection{{these}}, mixed...)
}
