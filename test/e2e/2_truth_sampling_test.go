// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Behind one address two kube-apiservers take turns: they are told apart, and each
// figure is that of both.
func testOneAddress(t *testing.T) {
	t.Parallel()
	balanced, err := lab.startBalanced()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 3*window, "both are known", func() error {
		headroom, err := getHeadroom(t, balanced.client, "workload-low")
		if err != nil {
			return err
		}
		if rows := headroom.Status.ByInstance; len(rows) != 2 || headroom.Status.Instances.Observed != 2 {
			return fmt.Errorf("instances %+v, rows %+v", headroom.Status.Instances, rows)
		}
		return nil
	})
	report := wantVerdict(t, balanced.client, mutating, 3*window, v1alpha1.VerdictMet)
	wantCondition(t, report.Status.Conditions, v1alpha1.ConditionDataComplete, "True", "AllInstancesObserved")
	if text := describe(report.Status.Conditions); !strings.Contains(text, "load balancer") {
		t.Errorf("conditions do not tell of a load balancer: %s", text)
	}
	for _, report := range exact(t, balanced) {
		if report.Name == mutating && *report.Status.Requests == 0 {
			t.Error("no requests: this proves nothing")
		}
	}
}

// A server that did not run for a while says over which time its figures are, and
// that they are not of the window.
func testSuspended(t *testing.T) {
	t.Parallel()
	process := lab.recorded.process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	const pause = 3 * window / 4
	time.Sleep(pause)
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	exact(t, lab.recorded)
	eventually(t, 2*window, "the window begins in the pause", func() error {
		report, err := getReport(t, lab.recorded.client, mutating)
		if err != nil {
			return err
		}
		if *report.Status.WindowSeconds < int64((window + pause/2).Seconds()) {
			return fmt.Errorf("a window of %d seconds", *report.Status.WindowSeconds)
		}
		wantCondition(t, report.Status.Conditions, v1alpha1.ConditionDataComplete, "False", "WindowIncomplete")
		if report.Status.Verdict == v1alpha1.VerdictMet {
			t.Errorf("met, over %d seconds instead of %s", *report.Status.WindowSeconds, window)
		}
		return nil
	})
	exact(t, lab.recorded)
	wantComplete(t, lab.recorded.client, mutating)
}
