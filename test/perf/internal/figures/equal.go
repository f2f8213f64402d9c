// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package figures

import (
	"context"
	"fmt"

	"example.io/slo-apiserver/test/perf/internal/equality"
)

// Equal compares our figures with those of the engine and with the truth.
func Equal(ctx context.Context, combinations, seeds int) (equality.Result, error) {
	var all equality.Result
	for seed := range seeds {
		for _, scenario := range equality.Scenarios(combinations, uint64(1+100*seed)) {
			one, err := equality.Compare(ctx, scenario)
			if err != nil {
				return all, err
			}
			all.Add(one)
		}
	}
	return all, nil
}

// EqualRows says how equal they are. Unequal is true when the reach is missed.
func EqualRows(r equality.Result) (rows []Row, unequal bool) {
	within := func(d equality.Differences) bool {
		return d.Counts == 0 && d.Quantiles <= reachQuantiles && d.Fractions <= reachFractions
	}
	row := func(figure string, d equality.Differences) Row {
		return Row{
			Figure: figure,
			Ours:   fmt.Sprintf("q %.0e, f %.0e, n %.0e", d.Quantiles, d.Fractions, d.Counts),
		}
	}
	engine := row(fmt.Sprintf("off from the engine (anchored), %d histograms", r.Figures), r.Engine)
	truth := row("  off from what happened", r.Truth)
	for r, d := range map[*Row]equality.Differences{&engine: r.Engine, &truth: r.Truth} {
		r.Reach, r.Reached = "q 1e-12, f 1e-14, n 0", yes(within(d))
		unequal = unequal || !within(d)
	}
	plain := row("  plain increase(), off from what happened", r.Plain)
	plain.Peer, plain.Ours = plain.Ours+fmt.Sprintf("; %d lost", r.Lost), ""
	return []Row{engine, truth, plain}, unequal
}
