// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"

	"example.io/slo-apiserver/test/perf/internal/figures"
	"example.io/slo-apiserver/test/perf/internal/lab"
)

// processFlags of `perf process`.
type processFlags struct {
	labDir, lab, server string
	settle, duration    time.Duration
}

// readers that hold watches open while it is measured.
var readers = []string{
	"/apis/slo.example.io/v1alpha1/sloreports?watch=true",
	"/apis/slo.example.io/v1alpha1/apfheadrooms?watch=true",
}

func process(ctx context.Context, args []string) error {
	var f processFlags
	flags := flag.NewFlagSet("perf process", flag.ContinueOnError)
	flags.StringVar(&f.labDir, "lab-dir", "", "directory of a lab that was started with --prometheus --scrape-interval 15s --nodes 20")
	flags.StringVar(&f.lab, "lab", "../../bin/lab", "the lab's command")
	flags.StringVar(&f.server, "server", "../../bin/slo-apiserver", "the product; empty to measure the one that runs there")
	flags.DurationVar(&f.settle, "settle", 11*time.Minute, "before it is measured: until the history is full")
	flags.DurationVar(&f.duration, "duration", 5*time.Minute, "of the measurement")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l, err := lab.Open(f.labDir)
	if err != nil {
		return err
	}
	if l.Prometheus == nil || l.Prometheus.ScrapeInterval != "15s" {
		return errors.New("the lab has no Prometheus that scrapes every 15 s: start it with --prometheus --scrape-interval 15s --nodes 20")
	}
	if l, err = f.serve(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	for _, path := range readers {
		group.Go(func() error { return l.Watch(ctx, path) })
	}
	var rows []figures.Row
	group.Go(func() error {
		defer cancel()
		measured, err := f.measure(ctx, l)
		rows = figures.ProcessRows(measured)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Println(figures.Machine(false))
	return figures.Print(os.Stdout, rows)
}

// serve the product in the lab, and return the lab with it.
func (f processFlags) serve(ctx context.Context) (*lab.Lab, error) {
	if f.server != "" {
		for _, args := range [][]string{
			{"register", "--dir", f.labDir},
			{"serve", "--dir", f.labDir, f.server, "--", "--source=scrape", "--interval=15s"},
		} {
			command := exec.CommandContext(ctx, f.lab, args...)
			command.Stdout, command.Stderr = os.Stderr, os.Stderr
			if err := command.Run(); err != nil {
				return nil, fmt.Errorf("%s %s: %w", f.lab, args[0], err)
			}
		}
	}
	// The aggregator finds out that it is there within some seconds.
	if err := sleep(ctx, 15*time.Second); err != nil {
		return nil, err
	}
	return lab.Open(f.labDir)
}

func (f processFlags) measure(ctx context.Context, l *lab.Lab) (figures.Process, error) {
	p := figures.Process{Instances: len(l.APIServers), Kubelets: len(l.Kubelets), Duration: f.duration}
	fmt.Fprintf(os.Stderr, "the history fills for %s\n", f.settle)
	if err := sleep(ctx, f.settle); err != nil {
		return p, err
	}
	fmt.Fprintf(os.Stderr, "measuring for %s\n", f.duration)
	product, err := l.ProductPID()
	if err != nil {
		return p, err
	}
	pids := []int{product, l.Prometheus.PID}
	usage := []*figures.ProcessUsage{&p.Ours, &p.Prometheus}
	var before [2]lab.Usage
	for i, pid := range pids {
		if before[i], err = lab.UsageOf(pid); err != nil {
			return p, err
		}
	}
	for end := time.Now().Add(f.duration); time.Now().Before(end); {
		if err := sleep(ctx, time.Second); err != nil {
			return p, err
		}
		for i, pid := range pids {
			now, err := lab.UsageOf(pid)
			if err != nil {
				return p, err
			}
			usage[i].CPU = now.CPU - before[i].CPU
			usage[i].Anonymous = max(usage[i].Anonymous, now.Anonymous)
		}
	}
	return p, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
