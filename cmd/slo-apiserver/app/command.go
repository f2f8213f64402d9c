// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package app is the front door: flags, their validation, and the start.
package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/component-base/term"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
)

// NewCommand returns the command that serves until ctx ends.
func NewCommand(ctx context.Context) *cobra.Command {
	options := NewOptions()
	cmd := &cobra.Command{
		Use:   "slo-apiserver",
		Short: "Serve the cluster's SLO reports and API Priority & Fairness headroom",
		Long: "slo-apiserver is an aggregated API server. It serves SLOReport,\n" +
			"ServiceLevelIndicator and APFHeadroom resources of slo.example.io, computed\n" +
			"on demand from the metrics of kube-apiservers and kubelets, which it scrapes\n" +
			"itself or reads from any Prometheus-compatible API.",
		Version:       version.Get().String(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true, // a wrong flag is answered in one line, not in two pages
		SilenceErrors: true, // cli.Run prints the error
		RunE: func(*cobra.Command, []string) error {
			if err := logsapi.ValidateAndApply(options.Logging, nil); err != nil {
				return err
			}
			if err := utilerrors.NewAggregate(options.Validate()); err != nil {
				return err
			}
			return run(ctx, options)
		},
	}

	sections := options.Flags()
	for _, flags := range sections.FlagSets {
		cmd.Flags().AddFlagSet(flags)
	}
	columns, _, _ := term.TerminalSize(cmd.OutOrStdout())
	cliflag.SetUsageAndHelpFunc(cmd, sections, columns)
	return cmd
}

func run(ctx context.Context, options *Options) error {
	config, err := options.Config(ctx)
	if err != nil {
		return err
	}
	server, err := config.Complete().New(ctx)
	if err != nil {
		return fmt.Errorf("prepare the server: %w", err)
	}
	klog.FromContext(ctx).Info("Serving", "source", options.Source.Type, "window", options.Evaluation.Window, "interval", options.Evaluation.Interval)
	return server.Run(ctx)
}
