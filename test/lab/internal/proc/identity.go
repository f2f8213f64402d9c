// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Identity is one process for good: a process id alone is given out again after a reboot, or just later.
type Identity struct {
	PID       int    `json:"pid"`
	StartTime string `json:"startTime"` // clock ticks since boot, as in /proc/PID/stat
	BootID    string `json:"bootID"`
}

// Self is this process.
func Self() (Identity, error) { return identify(os.Getpid()) }

// Alive says whether that very process still runs.
func (i Identity) Alive() bool {
	if i.PID == 0 {
		return false
	}
	now, err := identify(i.PID)
	return err == nil && now == i
}

func identify(pid int) (Identity, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Identity{}, err
	}
	// The command's name, in parentheses, may hold anything; fields are counted from behind it.
	_, rest, ok := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := strings.Fields(string(rest))
	const startTime = 19 // field 22 of the line
	if !ok || len(fields) <= startTime {
		return Identity{}, fmt.Errorf("/proc/%d/stat: unexpected content", pid)
	}
	if fields[0] == "Z" {
		return Identity{}, fmt.Errorf("process %d has ended", pid)
	}
	return Identity{PID: pid, StartTime: fields[startTime], BootID: strings.TrimSpace(string(boot))}, nil
}
