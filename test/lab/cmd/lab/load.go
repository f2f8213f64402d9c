// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/load"
	"example.io/slo-apiserver/test/lab/internal/state"
)

func newLoad(f *flags) *cobra.Command {
	var o load.Options
	cmd := &cobra.Command{
		Use:   "load KIND",
		Short: "make traffic for a while and print, as one line of JSON, how its clients fared",
		Long:  "Make traffic for a while and print, as one line of JSON, how its clients fared.\n\nKinds:\n" + load.Kinds(),
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := state.LoadRunning(f.dir)
			if err != nil {
				return err
			}
			o.Kind = args[0]
			summary, err := load.Run(cmd.Context(), s, o)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(summary)
		},
	}
	cmd.Flags().DurationVar(&o.Duration, "duration", time.Minute, "for how long")
	cmd.Flags().IntVar(&o.Parallel, "parallel", 0, "requests at once (default: the kind's)")
	cmd.Flags().Float64Var(&o.QPS, "qps", 0, "requests per second of all together, negative for no limit (default: the kind's)")
	cmd.Flags().StringVar(&o.APIServer, "apiserver", "", "big or small (default: the kind's)")
	return cmd
}
