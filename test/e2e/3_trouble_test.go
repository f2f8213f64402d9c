// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/generated/clientset/versioned"
)

// Time in etcd is part of the indicator: with a slow storage the writes of the
// load are violated, the LISTs are allowed 30 seconds.
func TestSlowStorage(t *testing.T) {
	stop := lab.load(t, "mixed")
	lab.do(t, "storage-delay", "big", "1200ms")
	t.Cleanup(func() { lab.do(t, "storage-delay", "big", "0") })

	// Of whatever the cluster itself writes some key may be first.
	var report *v1alpha1.SLOReport
	eventually(t, 3*window, "writes of configmaps are named", func() (err error) {
		if report, err = getReport(t, lab.slo, mutating); err != nil {
			return err
		}
		for _, key := range report.Status.Worst {
			if key.Resource == "configmaps" && key.Group == "" && key.SlowRequests > 0 && report.Status.Verdict == v1alpha1.VerdictViolated {
				return nil
			}
		}
		return fmt.Errorf("%s, worst %+v", report.Status.Verdict, report.Status.Worst)
	})
	wantCondition(t, report.Status.Conditions, v1alpha1.ConditionMet, metav1.ConditionFalse, "KeysViolated")
	if p99 := report.Status.P99Bucket; p99 == nil || p99.OverMilliseconds < 1000 {
		t.Errorf("p99 of the worst key is in %+v, want more than 1s", p99)
	}
	wantVerdict(t, lab.viaPrometheus, mutating, window, v1alpha1.VerdictViolated)
	for _, name := range []string{readonlyNamespace, readonlyCluster} {
		wantVerdict(t, lab.slo, name, 2*window, v1alpha1.VerdictMet)
	}
	for _, r := range exact(t, lab.recorded) {
		if r.Name == mutating && *r.Status.SlowRequests == 0 {
			t.Error("no slow requests: this proves nothing of their count")
		}
	}
	lab.do(t, "storage-delay", "big", "0")
	stop()
	// That it returns to Met is seen below: its window passes while the flood runs.
}

// A flood of one service account on the small apiserver: its level queues, then
// rejects, there and nowhere else.
func TestFlood(t *testing.T) {
	wantClassified(t, "flood", "service-accounts", "workload-low")
	stop := lab.load(t, "flood", "--parallel=60")
	for name, client := range clients() {
		t.Log(name)
		queueing := wantPressure(t, client, "workload-low", 2*window, v1alpha1.PressureQueueing)
		wantPlace(t, queueing)
		wantCondition(t, queueing.Status.Conditions, v1alpha1.ConditionHasHeadroom, metav1.ConditionFalse, "Queueing")
	}
	exact(t, lab.recorded)
	wantBorrowed(t)
	stop()

	stop = lab.load(t, "flood", "--parallel=450")
	for name, client := range clients() {
		t.Log(name)
		rejecting := wantPressure(t, client, "workload-low", 2*window, v1alpha1.PressureRejecting)
		wantPlace(t, rejecting)
		if rejecting.Status.Requests == nil || len(rejecting.Status.Requests.RejectedBy) == 0 {
			t.Fatalf("rejecting, but nobody: %+v", rejecting.Status.Requests)
		}
		for _, by := range rejecting.Status.Requests.RejectedBy {
			if by.FlowSchema != "service-accounts" || (by.Reason != "queue-full" && by.Reason != "time-out") {
				t.Errorf("rejected by %+v, want service-accounts for queue-full or time-out", by)
			}
		}
	}
	for _, report := range exact(t, lab.recorded) {
		wantRejected(t, report)
	}
	stop()
}

// wantRejected: the verdict does not hide who was turned away, and LISTs are known to
// wait in the queue of their level. How many, and how long, is compared already.
func wantRejected(t *testing.T, report v1alpha1.SLOReport) {
	t.Helper()
	if thresholds[report.Name] == 0 {
		return // not of kube-apiservers
	}
	rejected, overhead := report.Status.RejectedRequests, report.Status.Overhead
	if want := fmt.Sprintf("%d requests of all kinds were turned away (", rejected.Requests); rejected.Requests == 0 || !strings.Contains(report.Status.Finding, want) {
		t.Errorf("%s: finding %q, want %q", report.Name, report.Status.Finding, want)
	}
	if len(overhead.Queues) == 0 || overhead.Queues[0].PriorityLevel != "workload-low" || overhead.Queues[0].Milliseconds == 0 {
		t.Errorf("%s: queues %+v, want workload-low first", report.Name, overhead.Queues)
	}
	t.Logf("%s: %s", report.Name, report.Status.Finding)
}

// wantClassified asks what becomes of the LISTs of a load, before it is made.
func wantClassified(t *testing.T, account, flowSchema, level string) {
	t.Helper()
	lists := request{user: "system:serviceaccount:lab-load-lists:" + account, verb: "list", resource: "configmaps", namespace: "lab-load-lists"}
	eventually(t, 3*interval, account+" is classified", func() error {
		got := lists.ask(t)
		if got.FlowSchema == nil || got.FlowSchema.Name != flowSchema || got.PriorityLevel.Name != level {
			return fmt.Errorf("%+v to %+v, want %s and %s", got.FlowSchema, got.PriorityLevel, flowSchema, level)
		}
		return nil
	})
}

// wantBorrowed waits until the flooded level works with seats of levels that are
// idle, and all three headrooms say so.
func wantBorrowed(t *testing.T) {
	t.Helper()
	small := lab.state.APIServers[1].Address
	eventually(t, window, "seats are borrowed", func() error {
		list, err := lab.slo.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		var lenders []string
		borrowed := errors.New("workload-low borrows nothing")
		for _, headroom := range list.Items {
			for _, row := range headroom.Status.ByInstance {
				if row.Instance != small || headroom.Spec.Type != "Limited" {
					continue
				}
				if row.Pressure == v1alpha1.PressureIdle && *row.CurrentLimitSeats < *row.NominalSeats {
					lenders = append(lenders, headroom.Name)
				}
				if headroom.Name == "workload-low" && *row.CurrentLimitSeats > *row.NominalSeats {
					borrowed = nil
					if *row.NominalHeadroomSeats >= *row.HeadroomSeats || *row.ReachableHeadroomSeats < *row.HeadroomSeats {
						return fmt.Errorf("headrooms of %+v", row)
					}
				}
			}
		}
		if len(lenders) == 0 {
			return errors.New("nobody lends")
		}
		return borrowed
	})
}

func clients() map[string]*versioned.Clientset {
	return map[string]*versioned.Clientset{"scrape": lab.slo, "prometheus": lab.viaPrometheus}
}

// wantPlace checks that the small apiserver is the worst, and that the level is
// fine in the big one, and every other level everywhere.
func wantPlace(t *testing.T, headroom *v1alpha1.APFHeadroom) {
	t.Helper()
	big, small := lab.state.APIServers[0].Address, lab.state.APIServers[1].Address
	if headroom.Status.Worst == nil || headroom.Status.Worst.Instance != small {
		t.Errorf("worst instance is %+v, want %s", headroom.Status.Worst, small)
	}
	for _, row := range headroom.Status.ByInstance {
		if row.Instance == big && row.Pressure != v1alpha1.PressureOk && row.Pressure != v1alpha1.PressureIdle {
			t.Errorf("%s is %s, want Ok", big, row.Pressure)
		}
	}
	list, err := lab.slo.SloV1alpha1().APFHeadrooms().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range list.Items {
		if p := other.Status.Pressure; other.Name != headroom.Name && (p == v1alpha1.PressureRejecting || p == v1alpha1.PressureQueueing) {
			t.Errorf("%s is %s, too: %s", other.Name, p, describe(other.Status.Conditions))
		}
	}
}
