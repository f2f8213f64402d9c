// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

// Package build compiles the components from their Go modules into a cache outside the tree.
package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// components in the order in which they are built: what they share is compiled with the first that needs it.
var components = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "hollow-kubelet"}

// heartbeat is how often a long step says that it still runs: CI ends jobs that stay silent.
const heartbeat = 15 * time.Second

const modulePath = "example.io/slo-apiserver/test/lab"

// Tree is the lab's source.
type Tree struct {
	Dir     string
	Version string // of Kubernetes, such as v1.36.3
	hash    string
}

// Find looks for the lab's source: dir itself if given, else from the working directory upwards.
func Find(dir string) (*Tree, error) {
	if dir != "" {
		return open(dir)
	}
	at, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		for _, candidate := range []string{at, filepath.Join(at, "test", "lab")} {
			if t, err := open(candidate); err == nil {
				return t, nil
			}
		}
		parent := filepath.Dir(at)
		if parent == at {
			return nil, errors.New("the lab's source is not here: run it inside the repository, or say --source")
		}
		at = parent
	}
}

func open(dir string) (*Tree, error) {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(mod, []byte("module "+modulePath+"\n")) {
		return nil, fmt.Errorf("%s is not module %s", dir, modulePath)
	}
	t := &Tree{Dir: dir}
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) >= 2 && fields[0] == "k8s.io/kubernetes" {
			t.Version = fields[1]
			break
		}
	}
	if t.Version == "" {
		return nil, fmt.Errorf("%s/go.mod does not require k8s.io/kubernetes", dir)
	}
	t.hash, err = hashSources(dir)
	return t, err
}

// hashSources covers what the binaries are made of. The lab program itself is not part of it: it is built each time.
func hashSources(dir string) (string, error) {
	h := sha256.New()
	files := []string{"go.mod", "go.sum"}
	for _, pattern := range append([]string{"internal/hollow/*.go"}, patterns()...) {
		matches, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return "", err
		}
		files = append(files, matches...)
	}
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

func patterns() []string {
	var p []string
	for _, c := range components {
		p = append(p, "cmd/"+c+"/*.go")
	}
	return p
}

// CacheDir is where binaries are kept: $SLO_LAB_CACHE, or the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("SLO_LAB_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "slo-apiserver-lab"), err
}

// BinDir is where the binaries of this very source are, once built.
func (t *Tree) BinDir() (string, error) {
	cache, err := CacheDir()
	return filepath.Join(cache, t.Version+"-"+t.hash), err
}

// Build compiles what is missing and returns BinDir.
func (t *Tree) Build(ctx context.Context, out io.Writer) (string, error) {
	bin, err := t.BinDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	begin := time.Now()
	steps := len(components) + 1
	for i, c := range components {
		target := filepath.Join(bin, c)
		label := fmt.Sprintf("[%d/%d] %s", i+1, steps, c)
		if _, err := os.Stat(target); err == nil {
			fmt.Fprintf(out, "%s ... cached\n", label)
			continue
		}
		if err := t.step(ctx, out, label, c, target); err != nil {
			return "", err
		}
	}
	// The lab program: its sources are not hashed, go itself knows whether it is up to date.
	if err := t.step(ctx, out, fmt.Sprintf("[%d/%d] lab", steps, steps), "lab", filepath.Join(bin, "lab")); err != nil {
		return "", err
	}
	fmt.Fprintf(out, "built in %s: %s\n", time.Since(begin).Round(time.Second), bin)
	return bin, nil
}

// step builds one program, telling from time to time that it is still at it, and moves it into place when complete.
func (t *Tree) step(ctx context.Context, out io.Writer, label, program, target string) error {
	begin := time.Now()
	partial := fmt.Sprintf("%s.%d.tmp", target, os.Getpid())
	defer os.Remove(partial)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", t.ldflags(), "-o", partial, "./cmd/"+program)
	cmd.Dir = t.Dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("build %s: %w\n%s", program, err, output.Bytes())
			}
			fmt.Fprintf(out, "%s ... %.0fs\n", label, time.Since(begin).Seconds())
			return os.Rename(partial, target)
		case <-ticker.C:
			fmt.Fprintf(out, "%s ... at work for %.0fs\n", label, time.Since(begin).Seconds())
		}
	}
}

// ldflags stamp the version: without it kubectl cannot parse what `kubectl version` gets.
func (t *Tree) ldflags() string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(t.Version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	flags := []string{"-s", "-w"}
	for _, kv := range [][2]string{
		{"gitVersion", t.Version},
		{"gitMajor", major},
		{"gitMinor", minor},
		{"gitCommit", "unknown"}, // a module has no commit
		{"gitTreeState", "archive"},
		{"buildDate", "1970-01-01T00:00:00Z"}, // the same source gives the same binary
	} {
		for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
			flags = append(flags, "-X", pkg+"."+kv[0]+"="+kv[1])
		}
	}
	return strings.Join(flags, " ")
}
