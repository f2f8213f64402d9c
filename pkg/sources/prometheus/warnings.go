// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"example.io/slo-apiserver/pkg/sources"
)

// warnings about instances whose counts can not be relied on, and about those
// that are scraped twice: one line of each kind, with an example.
func warnings(component sources.Component, byName map[string][]*target) []sources.Warning {
	var twice, several, conflicting, unclear []string
	var twiceText, severalText, conflictText string
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		same := byName[name]
		if len(same) > 1 {
			twice = append(twice, name)
			twiceText = cmp.Or(twiceText, fmt.Sprintf("is scraped as %s and as %s: only the first is counted", same[0], same[1]))
		}
		if text := same[0].shared(); text != "" {
			several = append(several, name)
			severalText = cmp.Or(severalText, text+": their counts look like resets, and are not read; scrape each process at an address of its own")
		}
		if label := same[0].conflict; label != "" && !same[0].stranger {
			conflicting = append(conflicting, name)
			conflictText = cmp.Or(conflictText, fmt.Sprintf("has two series at a time that differ in the label %s, and would be counted twice: it is not read; choose one with --prometheus-match %s=VALUE", label, label))
		}
		if same[0].unclear || same[0].ended > 0 && same[0].renamed {
			unclear = append(unclear, name)
		}
	}
	const unclearText = "started anew in the window, more than once, with many others, under other labels, or at a time that its clock does not tell: what it counted until it was sampled first may be missing"
	var all []sources.Warning
	for _, kind := range []struct {
		reason sources.Reason
		names  []string
		text   string
	}{{sources.ScrapedTwice, twice, twiceText}, {sources.SharedAddress, several, severalText}, {sources.ConflictingSeries, conflicting, conflictText}, {sources.RestartsUnclear, unclear, unclearText}} {
		warning := sources.Warning{Reason: kind.reason, Component: component, Instances: kind.names}
		switch n := len(kind.names); {
		case n == 1:
			warning.Message = fmt.Sprintf("%s %s %s", component, kind.names[0], kind.text)
		case n > 1:
			warning.Message = fmt.Sprintf("%s %s, and %d others likewise, %s", component, kind.names[0], n-1, kind.text)
		default:
			continue
		}
		all = append(all, warning)
	}
	return all
}

// shared says why a target seems to be several processes, "" if it does not.
func (t *target) shared() string {
	switch {
	case t.processes > 1:
		return fmt.Sprintf("is the address of %d processes that answer in turn, as their start times show", t.processes)
	case t.resets > 0:
		return fmt.Sprintf("seems to be the address of several processes that answer in turn: it has no %s, and its counters fell %d times in the window", startTime, t.resets)
	}
	return ""
}
