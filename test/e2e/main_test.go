// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e tries the built server behind the real aggregator of a real control
// plane, with the real kubectl. hack/e2e.sh runs it.
//
// The tests share one lab and run one after the other, in the order of the files
// and within them. Each leaves the cluster at rest. Those that mostly wait, and do not
// disturb each other, are parallel: they come after all others, at one time.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// The lab's server looks back over a minute instead of five, so that a verdict
// comes, and goes, within a test.
const (
	interval = 5 * time.Second
	window   = time.Minute
)

var (
	labBinary    = flag.String("lab", "", "the lab program")
	serverBinary = flag.String("server", "", "the slo-apiserver program")
	labDir       = flag.String("lab-dir", "", "a directory for the lab, which has to be empty or absent")
)

// lab is the running control plane, with a server of each source.
var lab *laboratory

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if *labBinary == "" || *serverBinary == "" || *labDir == "" {
		fmt.Fprintln(os.Stderr, "e2e: -lab, -server and -lab-dir are needed; make e2e gives them")
		return 2
	}
	up := exec.Command(*labBinary, "up", "--dir", *labDir, "--detach", "--prometheus", "--scrape-interval", interval.String())
	up.Stdout, up.Stderr = os.Stdout, os.Stderr
	if err := up.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: start the lab:", err)
		return 1
	}
	defer func() {
		down := exec.Command(*labBinary, "down", "--dir", *labDir)
		down.Stdout, down.Stderr = os.Stdout, os.Stderr
		if err := down.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: stop the lab:", err)
		}
	}()
	var err error
	if lab, err = newLaboratory(*labDir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer lab.stopServers()
	return m.Run()
}
