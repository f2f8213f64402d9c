package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/build"
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
				manifests = filepath.Join(tree.Dir, "deploy")
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
	cmd.Flags().StringVar(&manifests, "manifests", "", "kustomization to apply (default: the lab's own, deploy)")
	return cmd
}
