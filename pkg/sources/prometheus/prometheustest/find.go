// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheustest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Find returns the path of a real Prometheus: the one on PATH, or Debian's package, unpacked
// into the user's cache directory without being installed. Where there is none the
// test is skipped; on Debian with CI=true it fails.
//
// It has to be of version 2. The range selectors of version 3 leave out a sample at
// the very start of the window, and the scenarios put samples there.
func Find(t testing.TB) string {
	t.Helper()
	if onPath := "prometheus"; usable(onPath) == nil {
		return onPath
	}
	_, err := os.Stat("/etc/debian_version")
	debian := err == nil
	if debian {
		var unpacked string
		if unpacked, err = unpack(); err == nil {
			return unpacked
		}
	}
	message := fmt.Sprintf("no Prometheus 2 on PATH, and no package of it: %v", err)
	if debian && os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// usable says why the binary can not be used.
func usable(binary string) error {
	out, err := exec.Command(binary, "--version").CombinedOutput()
	if err != nil {
		return err
	}
	if !strings.Contains(string(out), " version 2.") {
		return fmt.Errorf("%s is not of version 2", binary)
	}
	return nil
}

// unpack downloads Debian's package once.
func unpack() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "slo-apiserver", "prometheus-deb")
	binary := filepath.Join(dir, "root/usr/bin/prometheus")
	if usable(binary) == nil {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Another test may be doing the same: each works in a directory of its own,
	// and the first to end puts its own in place.
	work, err := os.MkdirTemp(dir, "download-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if os.Geteuid() == 0 {
		if err := run(work, "apt-get", "update", "-qq"); err != nil {
			return "", err
		}
	}
	if err := run(work, "apt-get", "download", "-qq", "prometheus"); err != nil {
		return "", err
	}
	packages, err := filepath.Glob(filepath.Join(work, "prometheus_*.deb"))
	if err != nil || len(packages) != 1 {
		return "", errors.New("apt-get downloaded no package")
	}
	if err := run(work, "dpkg", "-x", packages[0], "root"); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(work, "root"), filepath.Join(dir, "root")); err != nil && usable(binary) != nil {
		return "", err
	}
	return binary, usable(binary)
}

func run(dir, name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return nil
}
