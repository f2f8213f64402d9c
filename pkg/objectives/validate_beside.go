// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/sources"
)

// validateBeside checks a signal of a file against all that is read with it: sources
// tell signals apart by name, and read a family as of one kind only.
func (b *builder) validateBeside(path *field.Path, s Signal) (errs field.ErrorList) {
	others := slices.Clone(b.beside)
	for _, declared := range b.signals {
		others = append(others, declared.Signal)
	}
	if slices.ContainsFunc(b.beside, func(other sources.Signal) bool { return other.Name == s.Name }) {
		errs = append(errs, field.Invalid(path.Child("name"), s.Name, "it is in use for what the server reads itself; choose another name"))
	}
	for i, metric := range s.Metrics {
		for _, other := range others {
			if problem := conflict(s.Signal, metric, other); problem != "" {
				errs = append(errs, field.Invalid(path.Child("metrics").Index(i), metric, problem))
				break
			}
		}
	}
	return errs
}

// conflict of a metric of a signal with another signal of the same component; "" without one.
func conflict(s sources.Signal, metric string, other sources.Signal) string {
	if s.Component != other.Component {
		return ""
	}
	for _, read := range other.Metrics {
		switch {
		case read == metric && s.Kind != other.Kind:
			return fmt.Sprintf("signal %s reads it as a %s", other.Name, nameOf(other.Kind))
		case other.Kind == sources.Histogram && isPart(metric, read):
			return fmt.Sprintf("it is a part of the histogram %s, which signal %s reads", read, other.Name)
		case s.Kind == sources.Histogram && isPart(read, metric):
			return fmt.Sprintf("signal %s reads a part of it as a %s", other.Name, nameOf(other.Kind))
		}
	}
	return ""
}

// isPart says that a family is spelled like a part of a histogram.
func isPart(metric, histogram string) bool {
	suffix, found := strings.CutPrefix(metric, histogram)
	return found && slices.Contains([]string{"_bucket", "_sum", "_count"}, suffix)
}

func nameOf(kind sources.Kind) string {
	switch kind {
	case sources.Histogram:
		return kindHistogram
	case sources.Counter:
		return kindCounter
	case sources.Gauge:
	}
	return "Gauge"
}
