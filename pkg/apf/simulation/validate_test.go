// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

func TestValidate(t *testing.T) {
	type change = v1alpha1.SimulatedLevel
	type response = v1alpha1.LimitResponse
	n := func(v int32) *int32 { return &v }
	for name, c := range map[string]struct {
		changes []change
		want    string // the errors; empty: valid
	}{
		"nothing":           {},
		"all of the queues": {changes: []change{{Name: "system", LimitResponse: &response{Type: "Queue", Queues: n(1), HandSize: n(1), QueueLengthLimit: n(1)}}}},
		"exempt":            {changes: []change{{Name: "exempt", NominalConcurrencyShares: n(1), LendablePercent: n(100)}}},
		"new with defaults": {changes: []change{{Name: "noisy", New: true}}},
		"no name":           {[]change{{}}, `spec.levels[0].name: Required value`},
		"a name twice":      {[]change{{Name: "system"}, {Name: "system"}}, `spec.levels[1].name: Duplicate value: "system"`},
		"no such level":     {[]change{{Name: "absent"}}, `spec.levels[0].name: Not found: "absent": there is no such level; new: true adds one`},
		"new, but there":    {[]change{{Name: "system", New: true}}, `spec.levels[0].new: Invalid value: true: a level of this name exists`},
		"no good name": {[]change{{Name: "Noisy", New: true}}, `spec.levels[0].name: Invalid value: "Noisy": a lowercase RFC 1123 subdomain must consist of ` +
			`lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', ` +
			`regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		"catch-all":           {[]change{{Name: "catch-all", NominalConcurrencyShares: n(6)}}, `spec.levels[0].name: Forbidden: the specification of catch-all is fixed`},
		"negative shares":     {[]change{{Name: "system", NominalConcurrencyShares: n(-1)}}, `spec.levels[0].nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer`},
		"lends more than all": {[]change{{Name: "system", LendablePercent: n(101)}}, `spec.levels[0].lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive`},
		"lends a negative":    {[]change{{Name: "system", LendablePercent: n(-1)}}, `spec.levels[0].lendablePercent: Invalid value: -1: must be between 0 and 100, inclusive`},
		"borrows a negative":  {[]change{{Name: "system", BorrowingLimitPercent: n(-1)}}, `spec.levels[0].borrowingLimitPercent: Invalid value: -1: must be a non-negative integer`},
		"limit, and no limit": {[]change{{Name: "system", BorrowingLimitPercent: n(1), NoBorrowingLimit: true}}, `spec.levels[0].borrowingLimitPercent: Forbidden: may not be given together with noBorrowingLimit`},
		"exempt does not wait": {[]change{{Name: "exempt", BorrowingLimitPercent: n(1), LimitResponse: &response{Type: "Queue"}}}, `spec.levels[0].borrowingLimitPercent: Forbidden: an exempt level has none
spec.levels[0].limitResponse: Forbidden: an exempt level has none`},
		"another response":    {[]change{{Name: "system", LimitResponse: &response{Type: "Wait"}}}, `spec.levels[0].limitResponse.type: Unsupported value: "Wait": supported values: "Queue", "Reject"`},
		"no response":         {[]change{{Name: "system", LimitResponse: &response{}}}, `spec.levels[0].limitResponse.type: Required value`},
		"queues to reject":    {[]change{{Name: "system", LimitResponse: &response{Type: "Reject", Queues: n(1)}}}, `spec.levels[0].limitResponse: Forbidden: a level that rejects has no queues`},
		"zero is the default": {changes: []change{{Name: "system", LimitResponse: &response{Type: "Queue", Queues: n(0), HandSize: n(0), QueueLengthLimit: n(0)}}}},
		"negative queues": {[]change{{Name: "system", LimitResponse: &response{Type: "Queue", Queues: n(-1), HandSize: n(-1), QueueLengthLimit: n(-1)}}}, `spec.levels[0].limitResponse.queueLengthLimit: Invalid value: -1: must be positive
spec.levels[0].limitResponse.queues: Invalid value: -1: must be between 1 and 10000000, inclusive
spec.levels[0].limitResponse.handSize: Invalid value: -1: must be positive`},
		"catch-all as it is":            {changes: []change{{Name: "catch-all", NominalConcurrencyShares: n(5), LendablePercent: n(0), NoBorrowingLimit: true, LimitResponse: &response{Type: "Reject"}}}},
		"a hand of more than there are": {[]change{{Name: "system", LimitResponse: &response{Type: "Queue", Queues: n(5)}}}, `spec.levels[0].limitResponse.handSize: Invalid value: 6: must not be greater than queues (5)`},
		"a hash of 60 bits":             {changes: []change{{Name: "system", LimitResponse: &response{Type: "Queue", Queues: n(1024), HandSize: n(6)}}}},
		"a hash of 66 bits":             {[]change{{Name: "system", LimitResponse: &response{Type: "Queue", Queues: n(2048)}}}, `spec.levels[0].limitResponse.handSize: Invalid value: 6: a hand of 6 out of 2048 queues takes 66 bits of a hash, which may not be more than 60`},
		"demand for an old level":       {[]change{{Name: "system", DemandFrom: &v1alpha1.DemandShare{Level: "workload-low", Percent: 1}}}, `spec.levels[0].demandFrom: Forbidden: only a new level takes demand from another`},
		"demand of nobody": {[]change{{Name: "noisy", New: true, DemandFrom: &v1alpha1.DemandShare{Level: "noisy", Percent: 101}}}, `spec.levels[0].demandFrom.level: Not found: "noisy"
spec.levels[0].demandFrom.percent: Invalid value: 101: must be between 1 and 100, inclusive
spec.levels[0].demandFrom.percent: Invalid value: 101: all levels together take 101 percent of the demand of noisy`},
		"more than all demand": {[]change{
			{Name: "noisy", New: true, DemandFrom: &v1alpha1.DemandShare{Level: "system", Percent: 60}},
			{Name: "noisier", New: true, DemandFrom: &v1alpha1.DemandShare{Level: "system", Percent: 41}},
		}, `spec.levels[1].demandFrom.percent: Invalid value: 41: all levels together take 101 percent of the demand of system`},
		"too many": {make([]change, 101), `spec.levels: Too many: 101: must have at most 100 items`},
	} {
		t.Run(name, func(t *testing.T) {
			status, errs := Simulate(&v1alpha1.APFSimulationSpec{Levels: c.changes}, newInput())
			var got []string
			for _, err := range errs {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if (status == nil) != (len(errs) > 0) {
				t.Errorf("status %v beside %v", status, errs)
			}
		})
	}
	for _, limit := range []int32{0, 1<<21 + 1} {
		if _, errs := Simulate(&v1alpha1.APFSimulationSpec{ServerConcurrencyLimit: &limit}, newInput()); len(errs) != 1 || errs[0].Field != "spec.serverConcurrencyLimit" {
			t.Errorf("server limit %d: %v", limit, errs)
		}
	}
}

// The mandatory levels are there even where their objects are not, and a level of
// a broken specification is not.
func TestStandingLevels(t *testing.T) {
	headrooms := []v1alpha1.APFHeadroom{headroom("broken", v1alpha1.APFHeadroomSpec{Type: "Limited"}), headroom("system", spec(30, 33, 64))}
	levels, errs := propose(&v1alpha1.APFSimulationSpec{}, headrooms)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var names []string
	for _, l := range levels {
		names = append(names, l.name)
	}
	if diff := cmp.Diff([]string{"catch-all", "exempt", "system"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What is 0 is as good as absent where there were no queues: the API defaults both.
func TestQueuesAreDefaulted(t *testing.T) {
	for _, queues := range []*int32{nil, new(int32(0))} {
		change := []v1alpha1.SimulatedLevel{{Name: "new", New: true, LimitResponse: &v1alpha1.LimitResponse{Type: "Queue", Queues: queues, HandSize: queues, QueueLengthLimit: queues}}}
		levels, errs := propose(&v1alpha1.APFSimulationSpec{Levels: change}, nil)
		want := &v1alpha1.LimitResponse{Type: "Queue", Queues: new(int32(64)), HandSize: new(int32(8)), QueueLengthLimit: new(int32(50))}
		if diff := cmp.Diff(want, levels[2].after.LimitResponse); diff != "" || len(errs) > 0 {
			t.Errorf("%v\n-want +got:\n%s", errs, diff)
		}
	}
}
