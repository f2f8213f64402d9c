// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"

	"example.io/slo-apiserver/test/perf/internal/figures"
	"example.io/slo-apiserver/test/perf/internal/lab"
)

const benchUsage = `perf [-short] [-lab-dir DIR] [-only NAME,...]: one table of figures.
perf process -lab-dir DIR: the row of the whole process.
`

// size of the made-up clusters.
type size struct {
	effort                 figures.Effort
	combinations           int // three instances
	large                  int // one instance
	growFrom, growTo       int
	equality, equalitySeed int
}

var (
	full  = size{figures.Full, 600, 2400, 300, 2400, 100, 2}
	short = size{figures.Short, 100, 200, 50, 200, 30, 1}
)

const instances = 3

// part of the table.
type part struct {
	name string
	rows func(ctx context.Context) ([]figures.Row, error)
}

var errUnequal = errors.New("the figures are not those of the engine")

func bench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("perf", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), benchUsage); flags.PrintDefaults() }
	isShort := flags.Bool("short", false, "small clusters and few rounds: a minute, to see that it works")
	labDir := flags.String("lab-dir", "", "directory of a running lab, whose real bodies are measured, too")
	profile := flags.String("cpuprofile", "", "file for a processor profile of all of it: where the time goes")
	only := flags.String("only", "", "parts to measure: scrape, large, lab, heap, reports, growth, equality, ledger, process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no command: process is the only one", flags.Arg(0))
	}
	s := full
	if *isShort {
		s = short
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println(figures.Machine(*isShort))
	var rows []figures.Row
	var failed error
	for _, p := range s.parts(*labDir) {
		if *only != "" && !strings.Contains(","+*only+",", ","+p.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", p.name)
		more, err := p.rows(ctx)
		if err != nil && !errors.Is(err, errUnequal) {
			return fmt.Errorf("measure %s: %w", p.name, err)
		}
		rows, failed = append(rows, more...), errors.Join(failed, err)
	}
	return errors.Join(figures.Print(os.Stdout, rows), failed)
}

func (s size) parts(labDir string) []part {
	scrape := func(combinations, instances int) func(context.Context) ([]figures.Row, error) {
		return func(ctx context.Context) (rows []figures.Row, err error) {
			for _, format := range []figures.Format{figures.Protobuf, figures.Text} {
				feed, err := figures.NewGenerated(format, combinations, instances)
				if err != nil {
					return nil, err
				}
				result, err := figures.ParseAndStore(ctx, feed, format, s.effort)
				if err != nil {
					return nil, err
				}
				rows = append(rows, result.Rows(fmt.Sprintf("%d combinations x %d", combinations, instances))...)
			}
			return rows, nil
		}
	}
	return []part{
		{"scrape", scrape(s.combinations, instances)},
		{"large", scrape(s.large, 1)},
		{"lab", func(ctx context.Context) ([]figures.Row, error) { return labRows(ctx, labDir, s.effort) }},
		{"heap", func(ctx context.Context) ([]figures.Row, error) {
			kept, err := figures.Heap(ctx, s.combinations, instances)
			return kept.Rows(), err
		}},
		{"reports", func(ctx context.Context) ([]figures.Row, error) {
			evaluation, err := figures.Evaluate(ctx, s.combinations, instances, s.effort)
			return evaluation.Rows(), err
		}},
		{"growth", func(ctx context.Context) ([]figures.Row, error) {
			growth, err := figures.Grow(ctx, s.growFrom, s.growTo, s.effort)
			return growth.Rows(), err
		}},
		{"equality", func(ctx context.Context) ([]figures.Row, error) {
			result, err := figures.Equal(ctx, s.equality, s.equalitySeed)
			if err != nil {
				return nil, err
			}
			rows, unequal := figures.EqualRows(result)
			if unequal {
				err = errUnequal
			}
			return rows, err
		}},
		{"ledger", func(context.Context) ([]figures.Row, error) {
			ledger, err := figures.KeepLedger(600, s.effort.Rounds)
			return ledger.Rows(), err
		}},
		{"process", func(context.Context) ([]figures.Row, error) {
			return []figures.Row{{
				Figure: "whole process on the lab", Reach: "see README", Reached: "run: perf process -lab-dir DIR",
			}}, nil
		}},
	}
}

// labRows measures what the kube-apiservers of a lab say.
func labRows(ctx context.Context, dir string, effort figures.Effort) (rows []figures.Row, err error) {
	if dir == "" {
		return []figures.Row{{Figure: "parse + store, real bodies of the lab", Reach: "as above", Reached: "no -lab-dir"}}, nil
	}
	l, err := lab.Open(dir)
	if err != nil {
		return nil, err
	}
	// Real time passes between real bodies: fewer of them.
	effort.Warmup, effort.Scrapes = 3, 1
	for _, format := range []figures.Format{figures.Protobuf, figures.Text} {
		feed, err := l.Record(ctx, format, effort.Warmup+effort.Rounds*effort.Scrapes)
		if err != nil {
			return nil, err
		}
		result, err := figures.ParseAndStore(ctx, feed, format, effort)
		if err != nil {
			return nil, err
		}
		rows = append(rows, result.Rows("real, lab")...)
	}
	return rows, nil
}
