// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"math"
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// The rules are those of kubernetes pkg/apis/flowcontrol/validation/validation.go,
// so that what is simulated could be applied.
const (
	// maxLevels is our own: no cluster has as many.
	maxLevels = 100
	// maxQueues of a level (priorityLevelConfigurationQueuingMaxQueues).
	maxQueues = 10_000_000
	// maxHashBits that a hand may be dealt from (util/shufflesharding MaxHashBits).
	maxHashBits = 60
)

func validateServerLimit(limit *int32, path *field.Path) field.ErrorList {
	if limit != nil && (*limit < 1 || *limit > allocation.MaxServerLimit) {
		return field.ErrorList{field.Invalid(path, *limit, fmt.Sprintf("must be between 1 and %d, inclusive", allocation.MaxServerLimit))}
	}
	return nil
}

// validateName finds out whether the level can be changed or added at all.
func validateName(change *v1alpha1.SimulatedLevel, exists bool, path *field.Path) field.ErrorList {
	name := path.Child("name")
	switch {
	case change.Name == "":
		return field.ErrorList{field.Required(name, "")}
	case exists && change.New:
		return field.ErrorList{field.Invalid(path.Child("new"), true, "a level of this name exists")}
	case !exists && !change.New:
		err := field.NotFound(name, change.Name)
		err.Detail = "there is no such level; new: true adds one"
		return field.ErrorList{err}
	}
	if broken := validation.IsDNS1123Subdomain(change.Name); len(broken) > 0 {
		return field.ErrorList{field.Invalid(name, change.Name, strings.Join(broken, "; "))}
	}
	return nil
}

// validateCatchAll: a change of catch-all has to leave it as it is
// (ValidateIfMandatoryPriorityLevelConfigurationObject).
func validateCatchAll(l *level, path *field.Path) field.ErrorList {
	if l.name != flowcontrolv1.PriorityLevelConfigurationNameCatchAll || equality.Semantic.DeepEqual(l.before, l.after) {
		return nil
	}
	return field.ErrorList{field.Forbidden(path, "the specification of catch-all is fixed")}
}

// validateLevel looks at the level as it would be, for a change of handSize alone
// may not fit the queues that there are.
func validateLevel(after *v1alpha1.APFHeadroomSpec, change *v1alpha1.SimulatedLevel, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if shares := *after.NominalConcurrencyShares; shares < 0 {
		errs = append(errs, field.Invalid(path.Child("nominalConcurrencyShares"), shares, "must be a non-negative integer"))
	}
	if percent := *after.LendablePercent; percent < 0 || percent > 100 {
		errs = append(errs, field.Invalid(path.Child("lendablePercent"), percent, "must be between 0 and 100, inclusive"))
	}
	if percent := after.BorrowingLimitPercent; percent != nil && *percent < 0 {
		errs = append(errs, field.Invalid(path.Child("borrowingLimitPercent"), *percent, "must be a non-negative integer"))
	}
	if change.NoBorrowingLimit && change.BorrowingLimitPercent != nil {
		errs = append(errs, field.Forbidden(path.Child("borrowingLimitPercent"), "may not be given together with noBorrowingLimit"))
	}
	if exempt(after) {
		for name, given := range map[string]bool{
			"borrowingLimitPercent": change.BorrowingLimitPercent != nil,
			"limitResponse":         change.LimitResponse != nil,
		} {
			if given {
				errs = append(errs, field.Forbidden(path.Child(name), "an exempt level has none"))
			}
		}
		slices.SortFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
		return errs
	}
	return append(errs, validateResponse(after.LimitResponse, change.LimitResponse, path.Child("limitResponse"))...)
}

func validateResponse(after, change *v1alpha1.LimitResponse, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch after.Type {
	case string(flowcontrolv1.LimitResponseTypeQueue):
		return validateQueues(*after.Queues, *after.HandSize, *after.QueueLengthLimit, path)
	case string(flowcontrolv1.LimitResponseTypeReject):
		if change != nil && (change.Queues != nil || change.HandSize != nil || change.QueueLengthLimit != nil) {
			errs = append(errs, field.Forbidden(path, "a level that rejects has no queues"))
		}
	case "":
		errs = append(errs, field.Required(path.Child("type"), ""))
	default:
		errs = append(errs, field.NotSupported(path.Child("type"), after.Type,
			[]flowcontrolv1.LimitResponseType{flowcontrolv1.LimitResponseTypeQueue, flowcontrolv1.LimitResponseTypeReject}))
	}
	return errs
}

func validateQueues(queues, handSize, length int32, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if length <= 0 {
		errs = append(errs, field.Invalid(path.Child("queueLengthLimit"), length, "must be positive"))
	}
	if queues <= 0 || queues > maxQueues {
		errs = append(errs, field.Invalid(path.Child("queues"), queues, fmt.Sprintf("must be between 1 and %d, inclusive", maxQueues)))
	}
	hand := path.Child("handSize")
	switch {
	case handSize <= 0:
		errs = append(errs, field.Invalid(hand, handSize, "must be positive"))
	case handSize > queues:
		errs = append(errs, field.Invalid(hand, handSize, fmt.Sprintf("must not be greater than queues (%d)", queues)))
	case hashBits(queues, handSize) > maxHashBits:
		errs = append(errs, field.Invalid(hand, handSize, fmt.Sprintf(
			"a hand of %d out of %d queues takes %d bits of a hash, which may not be more than %d", handSize, queues, hashBits(queues, handSize), maxHashBits)))
	}
	return errs
}

// hashBits is how much of a hash dealing a hand takes: the logarithm of the number
// of queues for each card (util/shufflesharding RequiredEntropyBits).
func hashBits(queues, handSize int32) int {
	return int(math.Ceil(math.Log2(float64(queues)) * float64(handSize)))
}

func validateDemandFrom(change *v1alpha1.SimulatedLevel, levels []level, path *field.Path) field.ErrorList {
	from := change.DemandFrom
	if from == nil {
		return nil
	}
	var errs field.ErrorList
	if !change.New {
		errs = append(errs, field.Forbidden(path, "only a new level takes demand from another"))
	}
	if !slices.ContainsFunc(levels, func(l level) bool { return l.name == from.Level && l.before != nil }) {
		errs = append(errs, field.NotFound(path.Child("level"), from.Level))
	}
	if from.Percent < 1 || from.Percent > 100 {
		errs = append(errs, field.Invalid(path.Child("percent"), from.Percent, "must be between 1 and 100, inclusive"))
	}
	return errs
}

func exempt(spec *v1alpha1.APFHeadroomSpec) bool {
	return spec.Type == string(flowcontrolv1.PriorityLevelEnablementExempt)
}
