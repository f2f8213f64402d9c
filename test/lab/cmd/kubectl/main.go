// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kubectl is kubectl of the lab's Kubernetes version, so that nothing depends on the machine's own.
package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
