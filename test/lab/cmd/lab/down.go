// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/control"
	"example.io/slo-apiserver/test/lab/internal/state"
	"example.io/slo-apiserver/test/lab/internal/supervisor"
)

func newDown(f *flags) *cobra.Command {
	var purge bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "end the lab and remove all but its logs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := down(cmd.Context(), f.dir); err != nil {
				return err
			}
			if !purge {
				return nil
			}
			// Only what the lab made: --dir may hold more.
			if err := os.RemoveAll(filepath.Join(f.dir, "logs")); err != nil {
				return err
			}
			if err := os.Remove(f.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s is kept: %v\n", f.dir, err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "remove the logs, too")
	return cmd
}

func down(ctx context.Context, dir string) error {
	s, err := state.Load(dir)
	if errors.Is(err, state.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Supervisor.Alive() {
		if err := control.NewClient(s.ControlSocket).Post(ctx, control.PathShutdown, struct{}{}); err != nil {
			// It does not listen yet, or no more: a signal asks for the same.
			_ = syscall.Kill(s.Supervisor.PID, syscall.SIGTERM)
		}
		if err := waitEnded(ctx, s, time.Minute); err != nil {
			return err
		}
	}
	return supervisor.Clean(dir, s.RuntimeDir)
}

// waitEnded waits for the supervisor, and kills it when it takes too long: its children die with it.
func waitEnded(ctx context.Context, s *state.State, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	killed := false
	for s.Supervisor.Alive() {
		if time.Now().After(deadline) {
			if killed {
				return fmt.Errorf("process %d does not end", s.Supervisor.PID)
			}
			_ = syscall.Kill(s.Supervisor.PID, syscall.SIGKILL)
			killed, deadline = true, time.Now().Add(10*time.Second)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func newStatus(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "what runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := state.LoadRunning(f.dir)
			if err != nil {
				return err
			}
			st, err := control.NewClient(s.ControlSocket).Status(cmd.Context())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, c := range st.Components {
				what := "stopped"
				if c.PID != 0 {
					what = fmt.Sprintf("pid %d", c.PID)
				}
				if c.Ended != "" {
					what = "ended by itself: " + c.Ended
				}
				fmt.Fprintf(out, "%-20s %s\n", c.Name, what)
			}
			for _, a := range s.APIServers {
				fmt.Fprintf(out, "%s: %s, in the cluster %s, to etcd %s longer\n", a.Name, a.URL, a.Address, st.StorageDelays[a.Name])
			}
			if st.WebhookDelay != "" {
				fmt.Fprintf(out, "webhook: sleeps %s\n", st.WebhookDelay)
			}
			if s.Prometheus != nil {
				fmt.Fprintf(out, "prometheus: %s\n", s.Prometheus.URL)
			}
			fmt.Fprintf(out, "export KUBECONFIG=%s HTTPS_PROXY=%s\n", s.AdminKubeconfig, s.ProxyURL)
			if !st.Ready {
				return errors.New("not ready yet")
			}
			return nil
		},
	}
}
