// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/build"
	"example.io/slo-apiserver/test/lab/internal/control"
	"example.io/slo-apiserver/test/lab/internal/register"
	"example.io/slo-apiserver/test/lab/internal/state"
)

func newRegister(f *flags) *cobra.Command {
	var manifests string
	cmd := &cobra.Command{
		Use:   "register",
		Short: "make slo-apiserver, which runs elsewhere on loopback, reachable in the cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := state.LoadRunning(f.dir)
			if err != nil {
				return err
			}
			if manifests == "" {
				tree, err := build.Find(f.source)
				if err != nil {
					return err
				}
				manifests = filepath.Join(tree.Dir, "..", "..", "artifacts", "deploy")
			}
			r, err := register.New(s)
			if err != nil {
				return err
			}
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if err := r.Apply(ctx, manifests, out); err != nil {
				return err
			}
			for _, step := range []struct {
				what string
				do   func(context.Context) error
			}{
				{"no pods behind the Service", r.Detach},
				{"EndpointSlice", r.Locate},
				{"caBundle", r.Trust},
				{"kubeconfig", r.Identify},
			} {
				if err := step.do(ctx); err != nil {
					return fmt.Errorf("%s: %w", step.what, err)
				}
			}
			condition, err := r.Condition(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "serve on 127.0.0.1:%d with --kubeconfig %s and HTTPS_PROXY=%s\nAPIService available: %s\n",
				s.Aggregated.Port, s.Aggregated.Kubeconfig, s.ProxyURL, condition)
			return nil
		},
	}
	cmd.Flags().StringVar(&manifests, "manifests", "", "kustomization to apply (default: artifacts/deploy of the product)")
	return cmd
}

func newServe(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:     "serve BINARY [-- FLAGS]",
		Short:   "run slo-apiserver where `register` says it is, until it is stopped or the lab is; again: with other flags",
		Example: "  lab serve bin/slo-apiserver -- --window=1m --interval=5s",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			binary, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			return post(cmd.Context(), f.dir, control.PathServe, control.ServeRequest{Binary: binary, Args: args[1:]})
		},
	}
}
