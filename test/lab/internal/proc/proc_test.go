// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests' own binary plays the part of lab: it, too, is what a host name is set by.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == RenameCommand {
		_, _ = os.Stderr.WriteString(Rename(os.Args[2:]).Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestStopTermsThenKills(t *testing.T) {
	for name, script := range map[string]string{
		"polite":   "sleep 60",
		"stubborn": "trap '' TERM; while true; do sleep 1; done",
	} {
		t.Run(name, func(t *testing.T) {
			s := &Starter{Warn: t.Logf}
			p, err := s.Start(Spec{Name: name, Path: "/bin/sh", Args: []string{"-c", script}, LogFile: filepath.Join(t.TempDir(), "log")})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond) // until the trap is set
			begin := time.Now()
			p.Stop(context.Background(), 500*time.Millisecond)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			select {
			case <-p.Done():
			default:
				t.Error("it still runs")
			}
		})
	}
}

func TestHostnameIsItsOwnOrTheMachines(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	warned := false
	s := &Starter{Warn: func(string, ...any) { warned = true }}
	p, err := s.Start(Spec{Name: "uname", Path: "/bin/uname", Args: []string{"-n"}, LogFile: log, Hostname: "lab-test"})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	got, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	want := "lab-test"
	if warned {
		want, _ = os.Hostname()
	}
	if strings.TrimSpace(string(got)) != want {
		t.Errorf("host name %q, want %q", got, want)
	}
}

func TestIdentity(t *testing.T) {
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	if !self.Alive() {
		t.Error("this process is said to have ended")
	}
	other := self
	other.StartTime = "1"
	rebooted := self
	rebooted.BootID = "before"
	for name, id := range map[string]Identity{"reused pid": other, "before a reboot": rebooted, "none": {}} {
		if id.Alive() {
			t.Errorf("%s: said to be alive", name)
		}
	}
}
