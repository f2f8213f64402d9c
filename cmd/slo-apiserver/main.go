// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Command slo-apiserver is an aggregated API server that answers whether a
// cluster holds the Kubernetes service level objectives, and how many API
// Priority & Fairness seats are left.
package main

import (
	"os"
	"runtime/debug"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of our own requests
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info

	"example.io/slo-apiserver/cmd/slo-apiserver/app"
)

// gcPercent is how much the heap may grow between two runs of the garbage collector.
// Go's default of 100 lets it double. This process holds some ten MB, mostly those of
// the API server libraries, and allocates some ten MB a minute: a few more runs, of
// ten milliseconds, are cheaper than the memory.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx := genericapiserver.SetupSignalContext()
	os.Exit(cli.Run(app.NewCommand(ctx)))
}
