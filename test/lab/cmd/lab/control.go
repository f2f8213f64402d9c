// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/control"
	"example.io/slo-apiserver/test/lab/internal/state"
)

// post asks the supervisor of the lab in dir.
func post(ctx context.Context, dir, path string, request any) error {
	s, err := state.LoadRunning(dir)
	if err != nil {
		return err
	}
	return control.NewClient(s.ControlSocket).Post(ctx, path, request)
}

func newStorageDelay(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:     "storage-delay big|small|both DURATION",
		Short:   "make each request of an apiserver to etcd take longer; 0 to end it",
		Example: "  lab storage-delay big 1200ms",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return post(cmd.Context(), f.dir, control.PathDelay, control.DelayRequest{APIServer: args[0], Delay: args[1]})
		},
	}
}

func newStop(f *flags) *cobra.Command {
	var address bool
	cmd := &cobra.Command{
		Use:   "stop COMPONENT",
		Short: "end a component's process: big, small, etcd, controller-manager, scheduler, kubelet-0 ..., kubelets, prometheus",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return post(cmd.Context(), f.dir, control.PathStop, control.ComponentRequest{Component: args[0], Address: address})
		},
	}
	cmd.Flags().BoolVar(&address, "remove-address", false, "take an apiserver's address out of the default/kubernetes EndpointSlice, too")
	return cmd
}

func newStart(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "start COMPONENT",
		Short: "start a stopped component as it was, and wait until it is ready",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return post(cmd.Context(), f.dir, control.PathStart, control.ComponentRequest{Component: args[0]})
		},
	}
}

func newWebhook(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "webhook DURATION|off",
		Short: "let a validating webhook sleep over ConfigMaps written in namespaces labeled slo-lab=webhook",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			delay := args[0]
			if delay == "off" {
				delay = ""
			}
			return post(cmd.Context(), f.dir, control.PathWebhook, control.WebhookRequest{Delay: delay})
		},
	}
}
