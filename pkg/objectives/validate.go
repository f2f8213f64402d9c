// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// longestThreshold is beyond what any request is given.
const longestThreshold = time.Hour

// validate an objective as it would be in force with an entry. Its type follows
// from its signal.
func (b *builder) validate(e objectiveEntry, o Objective) field.ErrorList {
	var errs field.ErrorList
	if e.name == nil {
		errs = append(errs, field.Required(e.path.Child("name"), "an objective needs one: its report is called so"))
	} else {
		for _, problem := range validation.IsDNS1123Subdomain(*e.name) {
			errs = append(errs, field.Invalid(e.path.Child("name"), *e.name, problem))
		}
	}
	if strings.TrimSpace(o.Description) == "" {
		errs = append(errs, field.Required(e.path.Child("description"), "say in one sentence what is promised"))
	}
	if strings.TrimSpace(o.Events) == "" {
		errs = append(errs, field.Required(e.path.Child("events"), "say what is counted, in the plural, such as requests"))
	}
	signal, known := b.signal(o.Signal)
	switch {
	case o.Signal == "":
		return append(errs, field.Required(e.path.Child("signal"), "name what is read, one of "+b.signalNames()))
	case !known:
		return append(errs, field.Invalid(e.path.Child("signal"), o.Signal, "there is no such signal: declare it under signals, or name one of "+b.signalNames()))
	}
	errs = append(errs, o.validateType(e.path, signal)...)
	errs = append(errs, o.validateSelection(e.path, signal)...)
	if percent := o.GoodMinutesPercent; percent < 1 || percent > 100 {
		errs = append(errs, field.Invalid(e.path.Child("goodMinutesPercent"), percent, "must be from 1 to 100"))
	}
	if o.MinimumRequests != nil && *o.MinimumRequests < 0 {
		errs = append(errs, field.Invalid(e.path.Child("minimumRequests"), *o.MinimumRequests, "must not be negative; 0 never calls traffic low"))
	}
	return errs
}

func (b *builder) signalNames() string {
	var all []string
	for _, s := range b.signals {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}

// validateType checks what Latency and Ratio have of their own.
func (o Objective) validateType(path *field.Path, signal Signal) field.ErrorList {
	switch o.Type {
	case signal.indicator():
	case Latency, Ratio:
		return field.ErrorList{field.Invalid(path.Child("type"), string(o.Type), fmt.Sprintf(
			"signal %s is read as a %s, of which a %s is made", signal.Name, signal.kindName(), signal.indicator()))}
	default:
		return field.ErrorList{field.NotSupported(path.Child("type"), o.Type, []Type{Latency, Ratio})}
	}
	if o.Type == Ratio {
		return o.validateRatio(path, signal)
	}
	return o.validateLatency(path, signal)
}

func (o Objective) validateLatency(path *field.Path, signal Signal) (errs field.ErrorList) {
	if o.Good != nil || o.Bad != nil || o.GoodRatio != 0 {
		errs = append(errs, field.Forbidden(path, "good, bad and goodRatio are of a Ratio; a Latency has percentile and threshold"))
	}
	if o.Percentile < 1 || o.Percentile > 99 {
		errs = append(errs, field.Invalid(path.Child("percentile"), o.Percentile, "must be from 1 to 99"))
	}
	at := path.Child("threshold")
	switch {
	case o.Informational && o.Threshold != 0:
		errs = append(errs, field.Forbidden(at, "an informational objective has none, and no verdict"))
	case o.Informational:
	case o.Threshold == 0:
		errs = append(errs, field.Required(at, "give the highest good latency, such as 1s; without one an objective is informational: true"))
	case o.Threshold < time.Millisecond || o.Threshold > longestThreshold || o.Threshold%time.Millisecond != 0:
		errs = append(errs, field.Invalid(at, o.Threshold.String(), fmt.Sprintf("must be whole milliseconds from 1ms to %s", longestThreshold)))
	case len(signal.BucketSeconds) > 0 && !slices.Contains(signal.BucketSeconds, o.ThresholdSeconds()):
		// An error and no warning: requests between two bounds can not be told
		// apart, so that the verdict would be Unknown in most minutes.
		errs = append(errs, field.Invalid(at, o.Threshold.String(), fmt.Sprintf("no bucket of %s ends there, so that no verdict would be known; the nearest bounds are %s",
			signal.Metrics[0], nearest(signal.BucketSeconds, o.ThresholdSeconds()))))
	}
	return errs
}

// nearest bounds of a threshold.
func nearest(bounds []float64, threshold float64) string {
	i, _ := slices.BinarySearch(bounds, threshold)
	var around []string
	for _, bound := range bounds[max(0, i-1):min(len(bounds), i+1)] {
		around = append(around, strconv.FormatFloat(bound, 'g', -1, 64)+"s")
	}
	return strings.Join(around, " and ")
}

func (o Objective) validateRatio(path *field.Path, signal Signal) (errs field.ErrorList) {
	if o.Percentile != 0 || o.Threshold != 0 {
		errs = append(errs, field.Forbidden(path, "percentile and threshold are of a Latency; a Ratio has goodRatio, and good or bad"))
	}
	at := path.Child("goodRatio")
	switch {
	case o.Informational && o.GoodRatio != 0:
		errs = append(errs, field.Forbidden(at, "an informational objective has none, and no verdict"))
	case !o.Informational && (o.GoodRatio < 1 || o.GoodRatio >= RatioOne):
		errs = append(errs, field.Required(at, `give the least share of good events, above "0" and below "1", such as "0.999"`))
	}
	events, name := o.Bad, "bad"
	if o.Good != nil {
		events, name = o.Good, "good"
	}
	if (len(o.Good) == 0) == (len(o.Bad) == 0) {
		return append(errs, field.Required(path.Child("bad"), "give good or bad, not both, by labels: bad: {code: [5xx]}"))
	}
	for _, label := range slices.Sorted(maps.Keys(events)) {
		child := path.Child(name, label)
		if !slices.Contains(signal.Labels, label) {
			errs = append(errs, field.NotSupported(child, label, signal.Labels))
		}
		if len(events[label]) == 0 {
			errs = append(errs, field.Required(child, "give at least one value"))
		}
	}
	return errs
}

// validateSelection checks labels: what selects, splits and excludes.
func (o Objective) validateSelection(path *field.Path, signal Signal) (errs field.ErrorList) {
	if o.Verbs != nil {
		errs = append(errs, signal.has(path.Child("verbs"), "verb", o.Verbs)...)
	}
	if o.Scope != "" {
		errs = append(errs, signal.has(path.Child("scope"), "scope", []string{o.Scope})...)
	}
	for i, label := range o.Key {
		at := path.Child("key").Index(i)
		switch {
		case !slices.Contains(KeyLabels(), label):
			errs = append(errs, field.NotSupported(at, label, KeyLabels()))
		case !slices.Contains(signal.Labels, label):
			errs = append(errs, field.Invalid(at, label, fmt.Sprintf("signal %s does not read that label", signal.Name)))
		case slices.Contains(o.Key[:i], label):
			errs = append(errs, field.Duplicate(at, label))
		case label == "resource" && slices.Contains(signal.Labels, "group") && !slices.Contains(o.Key, "group"):
			// What is custom is told by both: by name alone all would be of the core group.
			errs = append(errs, field.Invalid(at, label, "resources of different groups have the same names: add group to the key"))
		}
	}
	for i, labels := range o.Exclude {
		at := path.Child("exclude").Index(i)
		if len(labels) == 0 {
			errs = append(errs, field.Required(at, "name what is excluded, such as {group: batch, resource: jobs}"))
		}
		for _, label := range slices.Sorted(maps.Keys(labels)) {
			if !slices.Contains(o.Key, label) {
				errs = append(errs, field.Invalid(at.Child(label), labels[label], fmt.Sprintf(
					"the objective is not split by that label, but by: %s", strings.Join(o.Key, ", "))))
			}
		}
	}
	return errs
}

// has checks that a signal reads these values of a label.
func (s Signal) has(path *field.Path, label string, values []string) (errs field.ErrorList) {
	if !slices.Contains(s.Labels, label) {
		return field.ErrorList{field.Invalid(path, strings.Join(values, ", "), fmt.Sprintf("signal %s does not read the label %s", s.Name, label))}
	}
	if len(values) == 0 {
		return field.ErrorList{field.Required(path, "leave it out for all, or give at least one")}
	}
	read, restricted := s.Match[label]
	for _, v := range values {
		if restricted && !slices.Contains(read, v) {
			errs = append(errs, field.NotSupported(path, v, read))
		}
	}
	return errs
}
