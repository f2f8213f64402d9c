// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage of a process.
type Usage struct {
	// CPU it used since it started, the time of the system for it included.
	CPU time.Duration
	// Anonymous memory that is resident, in bytes: what is its own. Mapped files
	// are not in it.
	Anonymous uint64
}

// ticks of /proc are a hundredth of a second on all architectures of Go
// (proc(5), USER_HZ).
const tick = time.Second / 100

// UsageOf a running process of Linux.
func UsageOf(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Usage{}, err
	}
	cpu, err := cpuOf(stat)
	if err != nil {
		return Usage{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	anonymous, err := anonymousOf(status)
	if err != nil {
		return Usage{}, fmt.Errorf("/proc/%d/status: %w", pid, err)
	}
	return Usage{cpu, anonymous}, nil
}

// ProductPID finds the product: state.json does not tell it. It is the process that
// was given the kubeconfig which the lab makes for it.
func (l *Lab) ProductPID() (int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it has ended since
		}
		for argument := range strings.SplitSeq(string(arguments), "\x00") {
			if argument == "--kubeconfig="+l.Aggregated.Kubeconfig {
				return pid, nil
			}
		}
	}
	return 0, fmt.Errorf("no process has --kubeconfig=%s: the product does not run in the lab", l.Aggregated.Kubeconfig)
}

// cpuOf are utime and stime, the fields 14 and 15. The second field, the name of
// the program in parentheses, may hold spaces.
func cpuOf(stat []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:])) // from field 3 on
	if end < 0 || len(fields) < 13 {
		return 0, fmt.Errorf("%q has too few fields", stat)
	}
	var sum time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

func anonymousOf(status []byte) (uint64, error) {
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "RssAnon:"); is {
			n, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return n * 1024, err
		}
	}
	return 0, fmt.Errorf("RssAnon is missing")
}
