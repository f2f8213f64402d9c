// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"example.io/slo-apiserver/test/lab/internal/build"
	"example.io/slo-apiserver/test/lab/internal/prom"
	"example.io/slo-apiserver/test/lab/internal/state"
	"example.io/slo-apiserver/test/lab/internal/supervisor"
)

func newBuild(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "build every component, once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tree, err := build.Find(f.source)
			if err != nil {
				return err
			}
			_, err = tree.Build(cmd.Context(), cmd.OutOrStdout())
			return err
		},
	}
}

type upFlags struct {
	*flags
	nodes          int
	prometheus     bool
	detach         bool
	binDir         string
	prometheusPath string
	version        string
	scrapeInterval time.Duration
}

func newUp(f *flags) *cobra.Command {
	u := upFlags{flags: f}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "start the lab and keep it until interrupted, or with --detach until `lab down`",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return u.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	cmd.Flags().IntVar(&u.nodes, "nodes", 3, "hollow nodes")
	cmd.Flags().BoolVar(&u.prometheus, "prometheus", false, "run a Prometheus, too")
	cmd.Flags().DurationVar(&u.scrapeInterval, "scrape-interval", 5*time.Second, "of Prometheus")
	cmd.Flags().BoolVar(&u.detach, "detach", false, "return when all is ready")
	// What `up --detach` has found out it hands to the process in the background.
	cmd.Flags().StringVar(&u.binDir, "bin-dir", "", "")
	cmd.Flags().StringVar(&u.prometheusPath, "prometheus-path", "", "")
	cmd.Flags().StringVar(&u.version, "version", "", "")
	for _, name := range []string{"bin-dir", "prometheus-path", "version"} {
		_ = cmd.Flags().MarkHidden(name)
	}
	return cmd
}

func (u *upFlags) run(ctx context.Context, out io.Writer) error {
	if u.nodes < 0 || u.nodes > supervisor.MaxNodes {
		return fmt.Errorf("--nodes must be between 0 and %d", supervisor.MaxNodes)
	}
	if u.scrapeInterval < time.Second {
		return errors.New("--scrape-interval must be 1s or more")
	}
	if err := clearStale(u.dir, out); err != nil {
		return err
	}
	if u.binDir == "" {
		if err := u.find(ctx, out); err != nil {
			return err
		}
	}
	if u.detach {
		return u.background(ctx, out)
	}
	return supervisor.Run(ctx, supervisor.Options{
		Dir:            u.dir,
		BinDir:         u.binDir,
		Version:        u.version,
		Nodes:          u.nodes,
		Prometheus:     u.prometheusPath,
		ScrapeInterval: u.scrapeInterval,
	}, out)
}

// find builds what is missing.
func (u *upFlags) find(ctx context.Context, out io.Writer) error {
	tree, err := build.Find(u.source)
	if err != nil {
		return err
	}
	u.version = tree.Version
	if u.binDir, err = tree.Build(ctx, out); err != nil {
		return err
	}
	if !u.prometheus {
		return nil
	}
	cache, err := build.CacheDir()
	if err != nil {
		return err
	}
	u.prometheusPath, err = prom.Find(ctx, cache, func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) })
	return err
}

// clearStale removes what a lab left that could not clean up, such as after a reboot. It refuses a running one.
func clearStale(dir string, out io.Writer) error {
	s, err := state.Load(dir)
	if errors.Is(err, state.ErrNone) {
		return nil
	}
	if err != nil {
		// Half a file is no reason to be stuck; its processes, if any, ended with their supervisor.
		fmt.Fprintf(out, "removing an unreadable state: %v\n", err)
		return supervisor.Clean(dir, "")
	}
	if s.Supervisor.Alive() {
		return fmt.Errorf("a lab runs in %s already (pid %d); end it with: lab down --dir %s", dir, s.Supervisor.PID, dir)
	}
	fmt.Fprintf(out, "removing what an ended lab left in %s\n", dir)
	return supervisor.Clean(dir, s.RuntimeDir)
}

// background starts the supervisor as a process of its own and shows its log until it is ready.
func (u *upFlags) background(ctx context.Context, out io.Writer) error {
	logs := filepath.Join(u.dir, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(logs, "lab.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"up", "--dir", u.dir, "--nodes", strconv.Itoa(u.nodes), "--scrape-interval", u.scrapeInterval.String(),
		"--bin-dir", u.binDir, "--prometheus-path", u.prometheusPath, "--version", u.version}
	// The binary built into the cache: this one may be a temporary file of `go run`.
	cmd := exec.Command(filepath.Join(u.binDir, "lab"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	follow, err := os.Open(log.Name())
	if err != nil {
		return err
	}
	defer follow.Close()
	lines := bufio.NewReader(follow)
	show := func() { _, _ = io.Copy(out, lines) }
	for {
		show()
		if s, err := state.Load(u.dir); err == nil && s.Ready && s.Supervisor.PID == cmd.Process.Pid {
			time.Sleep(50 * time.Millisecond) // its last line
			show()
			return nil
		}
		select {
		case err := <-ended:
			show()
			return fmt.Errorf("the lab did not come up (see %s): %w", logs, err)
		case <-ctx.Done():
			_ = cmd.Process.Signal(syscall.SIGTERM)
			<-ended
			show()
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
