// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"os"
	"testing"
	"time"
)

func TestCPU(t *testing.T) {
	const stat = "17 (a (b) c) S 1 17 17 0 -1 4194560 1 2 3 4 250 150 7 8 20 0 9 0 10 11 12"
	if got, err := cpuOf([]byte(stat)); err != nil || got != 4*time.Second {
		t.Errorf("got %s, %v, want 4s", got, err)
	}
	for _, bad := range []string{"", "17 (a) S 1", "17 (a) S 1 17 17 0 -1 4194560 1 2 3 4 x 150 7"} {
		if _, err := cpuOf([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestAnonymous(t *testing.T) {
	if got, err := anonymousOf([]byte("VmRSS:\t  20 kB\nRssAnon:\t   12 kB\n")); err != nil || got != 12*1024 {
		t.Errorf("got %d, %v", got, err)
	}
	if _, err := anonymousOf([]byte("VmRSS:\t  20 kB\n")); err == nil {
		t.Error("no RssAnon is accepted")
	}
}

func TestUsageOfThis(t *testing.T) {
	usage, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if usage.Anonymous < 1<<20 || usage.CPU < 0 {
		t.Errorf("%+v", usage)
	}
}
