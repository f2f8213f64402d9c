// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"cmp"
	"fmt"
	"slices"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// level is a priority level without and with the change.
type level struct {
	name string
	// before is nil for a new level.
	before, after *v1alpha1.APFHeadroomSpec
	demandFrom    *v1alpha1.DemandShare
}

// Defaults of kubernetes pkg/apis/flowcontrol/v1/defaults.go.
const (
	defaultShares           int32 = 30
	defaultQueues           int32 = 64
	defaultHandSize         int32 = 8
	defaultQueueLengthLimit int32 = 50
	// catchAllShares are fixed (apiserver pkg/apis/flowcontrol/bootstrap).
	catchAllShares int32 = 5
)

// propose applies the change to the levels as they are, sorted by name.
func propose(spec *v1alpha1.APFSimulationSpec, headrooms []v1alpha1.APFHeadroom) ([]level, field.ErrorList) {
	path := field.NewPath("spec")
	errs := validateServerLimit(spec.ServerConcurrencyLimit, path.Child("serverConcurrencyLimit"))
	path = path.Child("levels")
	if len(spec.Levels) > maxLevels {
		return nil, append(errs, field.TooMany(path, len(spec.Levels), maxLevels))
	}
	levels := standing(headrooms)
	seen := map[string]bool{}
	for i := range spec.Levels {
		change, at := &spec.Levels[i], path.Index(i)
		if seen[change.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), change.Name))
			continue
		}
		seen[change.Name] = true
		found := slices.IndexFunc(levels, func(l level) bool { return l.name == change.Name })
		if broken := validateName(change, found >= 0, at); len(broken) > 0 {
			errs = append(errs, broken...)
			continue
		}
		if found < 0 {
			levels = append(levels, level{name: change.Name, after: newLevel()})
			found = len(levels) - 1
		}
		l := &levels[found]
		errs = append(errs, validateDemandFrom(change, levels, at.Child("demandFrom"))...)
		l.after, l.demandFrom = merged(l.after, change), change.DemandFrom
		errs = append(errs, validateCatchAll(l, at.Child("name"))...)
		errs = append(errs, validateLevel(l.after, change, at)...)
	}
	errs = append(errs, validateDemandSum(spec.Levels, path)...)
	slices.SortFunc(levels, func(a, b level) int { return cmp.Compare(a.name, b.name) })
	return levels, errs
}

// standing are the levels as every kube-apiserver has them. It leaves out those of
// a broken specification, and supplies the mandatory ones (apf_controller.go
// digestNewPLsLocked, imaginePL).
func standing(headrooms []v1alpha1.APFHeadroom) []level {
	mandatory := map[string]*v1alpha1.APFHeadroomSpec{
		flowcontrolv1.PriorityLevelConfigurationNameExempt: {
			Type:                     string(flowcontrolv1.PriorityLevelEnablementExempt),
			NominalConcurrencyShares: new(int32(0)), LendablePercent: new(int32(0)),
		},
		flowcontrolv1.PriorityLevelConfigurationNameCatchAll: {
			Type:                     string(flowcontrolv1.PriorityLevelEnablementLimited),
			NominalConcurrencyShares: new(catchAllShares), LendablePercent: new(int32(0)),
			LimitResponse: &v1alpha1.LimitResponse{Type: string(flowcontrolv1.LimitResponseTypeReject)},
		},
	}
	var levels []level
	for i := range headrooms {
		h := &headrooms[i]
		if h.Spec.NominalConcurrencyShares == nil || h.Spec.LendablePercent == nil {
			continue
		}
		levels = append(levels, level{name: h.Name, before: &h.Spec, after: &h.Spec})
		delete(mandatory, h.Name)
	}
	for name, spec := range mandatory {
		levels = append(levels, level{name: name, before: spec, after: spec})
	}
	return levels
}

func newLevel() *v1alpha1.APFHeadroomSpec {
	return &v1alpha1.APFHeadroomSpec{
		Type:                     string(flowcontrolv1.PriorityLevelEnablementLimited),
		NominalConcurrencyShares: new(defaultShares), LendablePercent: new(int32(0)),
		LimitResponse: &v1alpha1.LimitResponse{Type: string(flowcontrolv1.LimitResponseTypeQueue)},
	}
}

// merged returns the specification with the change. The one given is not changed.
func merged(spec *v1alpha1.APFHeadroomSpec, change *v1alpha1.SimulatedLevel) *v1alpha1.APFHeadroomSpec {
	spec = spec.DeepCopy()
	spec.NominalConcurrencyShares = cmp.Or(change.NominalConcurrencyShares, spec.NominalConcurrencyShares)
	spec.LendablePercent = cmp.Or(change.LendablePercent, spec.LendablePercent)
	spec.BorrowingLimitPercent = cmp.Or(change.BorrowingLimitPercent, spec.BorrowingLimitPercent)
	if change.NoBorrowingLimit {
		spec.BorrowingLimitPercent = nil
	}
	r := spec.LimitResponse
	if r == nil {
		return spec // exempt
	}
	if wanted := change.LimitResponse; wanted != nil {
		r.Type = wanted.Type
		r.Queues = cmp.Or(wanted.Queues, r.Queues)
		r.HandSize = cmp.Or(wanted.HandSize, r.HandSize)
		r.QueueLengthLimit = cmp.Or(wanted.QueueLengthLimit, r.QueueLengthLimit)
	}
	if r.Type != string(flowcontrolv1.LimitResponseTypeQueue) {
		r.Queues, r.HandSize, r.QueueLengthLimit = nil, nil, nil
		return spec
	}
	r.Queues = defaulted(r.Queues, defaultQueues)
	r.HandSize = defaulted(r.HandSize, defaultHandSize)
	r.QueueLengthLimit = defaulted(r.QueueLengthLimit, defaultQueueLengthLimit)
	return spec
}

// defaulted: the API takes 0 for what is not given.
func defaulted(figure *int32, value int32) *int32 {
	if figure == nil || *figure == 0 {
		return &value
	}
	return figure
}

// validateDemandSum: no more than all of the demand of a level can go elsewhere.
func validateDemandSum(changes []v1alpha1.SimulatedLevel, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	taken := map[string]int64{}
	for i := range changes {
		from := changes[i].DemandFrom
		if from == nil {
			continue
		}
		if taken[from.Level] += int64(from.Percent); taken[from.Level] > 100 {
			errs = append(errs, field.Invalid(path.Index(i).Child("demandFrom", "percent"), from.Percent,
				fmt.Sprintf("all levels together take %d percent of the demand of %s", taken[from.Level], from.Level)))
		}
	}
	return errs
}
