// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prom

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Find returns a prometheus binary: the one on PATH, else Debian's package unpacked into cacheDir. Nothing is installed.
func Find(ctx context.Context, cacheDir string, say func(format string, args ...any)) (string, error) {
	if path, err := exec.LookPath("prometheus"); err == nil {
		return path, nil
	}
	unpacked := filepath.Join(cacheDir, "prometheus-debian", "usr", "bin", "prometheus")
	if _, err := os.Stat(unpacked); err == nil {
		return unpacked, nil
	}
	for _, tool := range []string{"apt-get", "dpkg"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("--prometheus needs a prometheus on PATH, or Debian's apt-get and dpkg to fetch one: %s is missing", tool)
		}
	}
	say("fetching Debian's prometheus package")
	if err := fetch(ctx, cacheDir, say); err != nil {
		return "", fmt.Errorf("no prometheus on PATH, and Debian's package could not be fetched: %w", err)
	}
	if _, err := os.Stat(unpacked); err != nil {
		return "", fmt.Errorf("no usr/bin/prometheus in Debian's package: %w", err)
	}
	return unpacked, nil
}

func fetch(ctx context.Context, cacheDir string, say func(format string, args ...any)) error {
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(cacheDir, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// The sandbox user of apt may not write into a directory of ours.
	download := []string{"-o", "APT::Sandbox::User=root", "-q", "download", "prometheus"}
	if err := run(ctx, dir, "apt-get", download...); err != nil {
		say("package lists are missing or old: apt-get update")
		if updateErr := run(ctx, dir, "apt-get", "-qq", "update"); updateErr != nil {
			return errors.Join(err, updateErr)
		}
		if err := run(ctx, dir, "apt-get", download...); err != nil {
			return err
		}
	}
	packages, err := filepath.Glob(filepath.Join(dir, "prometheus_*.deb"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("expected one prometheus package, got %d", len(packages))
	}
	root := filepath.Join(dir, "root")
	if err := run(ctx, dir, "dpkg", "-x", packages[0], root); err != nil {
		return err
	}
	return os.Rename(root, filepath.Join(cacheDir, "prometheus-debian"))
}

func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
