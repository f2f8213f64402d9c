// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Command hollow-kubelet is a real kubelet on a runtime that starts no containers (kubemark), serving its port
// as a real node does: over TLS, to authenticated and authorized clients only.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"

	"example.io/slo-apiserver/test/lab/internal/hollow"
)

func main() {
	os.Exit(cli.Run(hollow.NewCommand()))
}
