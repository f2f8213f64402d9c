// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources"
)

// Scenario is what instances exposed, and what a source has to read from that.
type Scenario struct {
	// Name of the file without its extension. It is unique.
	Name string
	// Why the scenario exists.
	Why string
	// Signals that the source has to be opened with.
	Signals []sources.Signal
	// At and Window are what Read is asked for.
	At     time.Time
	Window time.Duration
	// Step between two scrapes.
	Step time.Duration
	// Tolerance is the relative difference allowed between numbers: sources sum in
	// different orders. Parse sets it to 1e-9.
	Tolerance float64
	// Instances that are scraped, in the order of the file.
	Instances []Instance

	expected []expectation
}

// Instance is a program that exposes metrics.
type Instance struct {
	// Component of the instance. For a stranger, the one it resembles.
	Component sources.Component
	// Name that the source has to give it.
	Name string
	// Stranger says that the program is no instance of the component although it
	// exposes the same families, as this server itself does. A source that
	// chooses its own targets never meets it; one that reads from a shared store
	// has to leave it out.
	Stranger bool
	// Scrapes by rising time, one each Step from the first one of the instance
	// up to Scenario.At.
	Scrapes []Scrape
}

// Scrape is one attempt to read the metrics of an instance.
type Scrape struct {
	// Time at which it was done.
	Time time.Time
	// Failed says that there was no answer. There are no samples then.
	Failed bool
	// Samples of the answer, grouped by family.
	Samples []Sample
}

// Sample is one line of an exposition.
type Sample struct {
	// Series as exposed: a metric name, and labels in braces if it has any.
	Series string
	// Value of the sample.
	Value float64
	// Family that the series belongs to, and its type in the text format.
	Family, Type string
}

// Body is the scrape in the Prometheus text exposition format, version 0.0.4.
func (s Scrape) Body() string {
	var body strings.Builder
	family := ""
	for _, sample := range s.Samples {
		if sample.Family != family {
			family = sample.Family
			fmt.Fprintf(&body, "# HELP %s Of a scenario.\n# TYPE %s %s\n", family, family, sample.Type)
		}
		fmt.Fprintf(&body, "%s %s\n", sample.Series, FormatValue(sample.Value))
	}
	return body.String()
}

// FormatValue writes a sample value as the exposition formats spell it.
func FormatValue(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// expectation is one line about what a Reading has to hold.
type expectation struct {
	line int
	// rules that the line is about; none for all.
	rules []sources.Rule
	// component and instance of a line about an instance; signal and series of
	// one about a signal.
	component sources.Component
	instance  string
	signal    string
	series    string // "" when the line is about the signal as a whole
	// properties as written: "count=5", "observed".
	properties []string
}
