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

// Peer is a program with the query API of Prometheus.
type Peer string

const (
	// Prometheus2 is what most clusters have: Debian's package.
	Prometheus2 Peer = "Prometheus 2"
	// Prometheus3 is built by hack/peers.sh.
	Prometheus3 Peer = "Prometheus 3"
	// VictoriaMetrics is an implementation of its own, with a language of its own:
	// Debian's package.
	VictoriaMetrics Peer = "VictoriaMetrics"
)

// Peers are all of them.
func Peers() []Peer { return []Peer{Prometheus2, Prometheus3, VictoriaMetrics} }

// program is how a peer is found.
type program struct {
	// name on the PATH, the argument that makes it say what it is, and what it says.
	name, argument, says string
	// file in the cache directory.
	file string
	// debian is the package that has it, or script what builds it.
	debian, script string
}

func (p Peer) program() program {
	switch p {
	case Prometheus3:
		return program{name: "prometheus", argument: "--version", says: "prometheus, version 3.", file: "prometheus-3/prometheus", script: "hack/peers.sh"}
	case VictoriaMetrics:
		return program{
			name: "victoria-metrics", argument: "--help", says: "victoria-metrics is a time series database", // Debian's has no version
			file: "victoria-metrics-deb/root/usr/bin/victoria-metrics", debian: "victoria-metrics",
		}
	default:
		return program{name: "prometheus", argument: "--version", says: "prometheus, version 2.", file: "prometheus-deb/root/usr/bin/prometheus", debian: "prometheus"}
	}
}

// find returns the path of a peer: the one on the PATH; or Debian's package, unpacked
// into the user's cache directory without being installed; or what a script has built
// there. Where there is none the test is skipped; on Debian with CI=true it fails.
func (p Peer) find(t testing.TB) string {
	t.Helper()
	program := p.program()
	if p.usable(program.name) == nil {
		return program.name
	}
	_, err := os.Stat("/etc/debian_version")
	debian := err == nil
	file := filepath.Join(cacheDir(), program.file)
	switch err = p.usable(file); {
	case err == nil:
		return file
	case debian && program.debian != "":
		if err = p.unpack(program.debian, filepath.Join(cacheDir(), program.debian+"-deb"), file); err == nil {
			return file
		}
	case program.script != "":
		err = fmt.Errorf("%s builds it", program.script)
	}
	message := fmt.Sprintf("no %s on PATH, and none in %s: %v", p, cacheDir(), err)
	if debian && os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// cacheDir is where programs are kept that tests need. hack/peers.sh has the same.
func cacheDir() string {
	if dir := os.Getenv("SLO_PEERS_CACHE"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "slo-apiserver")
}

// usable says why the binary can not be used.
func (p Peer) usable(binary string) error {
	program := p.program()
	out, err := exec.Command(binary, program.argument).CombinedOutput()
	if err != nil {
		return err
	}
	if !strings.Contains(string(out), program.says) {
		return fmt.Errorf("%s is not %s", binary, p)
	}
	return nil
}

// unpack downloads one of Debian's packages once, into dir, where it has file.
func (p Peer) unpack(name, dir, file string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Another test may be doing the same: each works in a directory of its own,
	// and the first to end puts its own in place.
	work, err := os.MkdirTemp(dir, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if os.Geteuid() == 0 {
		if err := run(work, "apt-get", "update", "-qq"); err != nil {
			return err
		}
	}
	if err := run(work, "apt-get", "download", "-qq", name); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(work, name+"_*.deb"))
	if err != nil || len(packages) != 1 {
		return errors.New("apt-get downloaded no package")
	}
	if err := run(work, "dpkg", "-x", packages[0], "root"); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(work, "root"), filepath.Join(dir, "root")); err != nil && p.usable(file) != nil {
		return err
	}
	return p.usable(file)
}

func run(dir, name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return nil
}
