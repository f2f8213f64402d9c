// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Command lab runs a real Kubernetes control plane on loopback.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/proc"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == proc.RenameCommand {
		fmt.Fprintln(os.Stderr, proc.Rename(os.Args[2:]))
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// flags of all commands.
type flags struct {
	dir    string
	source string
}

func newCommand() *cobra.Command {
	var f flags
	root := &cobra.Command{
		Use:           "lab",
		Short:         "a real Kubernetes control plane on loopback",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			f.dir, err = filepath.Abs(f.dir)
			return err
		},
	}
	root.PersistentFlags().StringVar(&f.dir, "dir", defaultDir(), "directory of this lab's state; $SLO_LAB_DIR")
	root.PersistentFlags().StringVar(&f.source, "source", "", "directory of the lab's source (default: found from the working directory)")
	root.AddCommand(newBuild(&f), newUp(&f), newDown(&f), newStatus(&f), newStorageDelay(&f), newStop(&f), newStart(&f),
		newWebhook(&f), newRegister(&f), newServe(&f), newLoad(&f))
	return root
}

func defaultDir() string {
	if dir := os.Getenv("SLO_LAB_DIR"); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("slo-lab-of-%d", os.Getuid()))
}
