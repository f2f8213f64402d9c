// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package objectives

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Defaults of objectives.
const (
	defaultPercentile = 99
	defaultDayPercent = 99
	defaultEvents     = "requests"
)

// over returns the objective with what the entry says of it; the zero Objective
// is one that is not there yet. Numbers that do not fit are left for validation.
func (e objectiveEntry) over(o Objective) Objective {
	if o.Name == "" {
		o = Objective{Name: given(e.name), Events: defaultEvents, GoodMinutesPercent: defaultDayPercent}
	}
	set(&o.Description, e.description)
	set(&o.Informational, e.informational)
	set(&o.EvenShares, e.evenShares)
	set(&o.Signal, e.signal)
	set(&o.Events, e.events)
	set(&o.Scope, e.scope)
	set(&o.Threshold, e.threshold)
	set(&o.GoodRatio, e.goodRatio)
	if e.kind != nil {
		o.Type = Type(*e.kind)
	}
	if e.verbs != nil {
		o.Verbs = slices.Clone(e.verbs)
		slices.Sort(o.Verbs)
	}
	if e.key != nil {
		o.Key = e.key
	}
	if e.good != nil || e.bad != nil {
		o.Good, o.Bad = e.good, e.bad
	}
	if e.percentile != nil {
		o.Percentile = narrow(*e.percentile)
	}
	if e.goodMinutesPercent != nil {
		o.GoodMinutesPercent = narrow(*e.goodMinutesPercent)
	}
	if e.minimumRequests != nil {
		o.MinimumRequests = e.minimumRequests
	}
	o.Exclude = slices.Concat(o.Exclude, e.exclude)
	return o
}

// narrow a number of percent, so that what is out of bounds stays out of them.
func narrow(percent int64) int32 { return int32(max(-1, min(percent, 1000))) }

func set[T any](into, given *T) {
	if given != nil {
		*into = *given
	}
}

// reserved are the fields that only the catalog that is built in may have.
func (e objectiveEntry) reserved() (errs field.ErrorList) {
	if e.official != nil {
		errs = append(errs, field.Forbidden(e.path.Child("official"),
			"official are the objectives of SIG Scalability, as long as their indicator, threshold and day are unchanged"))
	}
	if e.profile != nil {
		errs = append(errs, field.Forbidden(e.path.Child("profile"), "profiles are chosen for the file as a whole: profiles: ["+*e.profile+"]"))
	}
	return errs
}
