// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the scenarios that every sources.Source has to pass,
// so that an answer means the same wherever its metrics come from.
//
// A scenario is a text file: what the instances of a cluster exposed at each
// scrape, and what a source has to read from that. Where the rules of
// package sources rightly differ, the file states each figure.
//
// What the scenarios settle beyond the words of package sources:
//
//   - An instance that is not observed contributes to no series, not even with
//     what it did earlier in the window.
//   - A restart within the window loses nothing: the increases of the old process
//     up to its last sample and all counts of the new one add up, whether its
//     counters fell or had passed their old values. First is Started only where the
//     window holds no sample of an older process.
//   - An instance is observed while its newest sample is at most two and a half
//     steps old, however many scrapes have failed since. Its gauges are those of
//     that sample.
//   - A series that is born counts from zero under each rule: one that its
//     instance lacked in a sample before, or one of a process born within the window.
//   - NaN is a newest value, and a maximum only where there is no number. It is no
//     sample, and makes none of a sum.
//   - Which family an instance has does not depend on Signal.Match.
package conformance

import (
	"context"
	"embed"
	"io/fs"
	"path"
	"strings"
	"testing"

	"example.io/slo-apiserver/pkg/sources"
)

//go:embed testdata
var files embed.FS

// Run tries the source that open returns on every scenario. open is called once
// per scenario, within its subtest: the source has to know the signals of the
// scenario, and to have seen all its scrapes, those of strangers included where
// it reads from a store that others write to.
func Run(t *testing.T, open func(t *testing.T, scenario Scenario) sources.Source) {
	for _, scenario := range Scenarios(t) {
		t.Run(scenario.Name, func(t *testing.T) {
			reading, err := open(t, scenario).Read(context.Background(), scenario.At, scenario.Window)
			if err != nil {
				t.Fatalf("%s\nread: %v", scenario.Why, err)
			}
			for _, difference := range Compare(scenario, reading) {
				t.Error(difference)
			}
			if t.Failed() {
				t.Logf("the scenario: %s", scenario.Why)
			}
		})
	}
}

// Scenarios returns all scenarios, sorted by name, for a source that is fed with
// all of them at once.
func Scenarios(t testing.TB) []Scenario {
	names, err := fs.Glob(files, "testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var scenarios []Scenario
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scenario, err := Parse(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		scenarios = append(scenarios, scenario)
	}
	return scenarios
}
