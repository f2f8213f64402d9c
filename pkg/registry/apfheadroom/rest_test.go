// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apfheadroom

import (
	"flag"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/registry/registrytest"
)

var update = flag.Bool("update", false, "rewrite testdata")

func count(n int64) *int64 { return &n }

func queueing(at time.Time) slo.APFHeadroom {
	return slo.APFHeadroom{
		ObjectMeta: metav1.ObjectMeta{Name: "workload-low"},
		Spec: slo.APFHeadroomSpec{
			Type:        "Limited",
			FlowSchemas: []slo.FlowSchema{{Name: "kube-system-service-accounts"}, {Name: "service-accounts"}},
		},
		Status: slo.APFHeadroomStatus{
			ObservationTime: &metav1.Time{Time: at},
			Pressure:        slo.PressureQueueing,
			Worst: &slo.InstanceSeats{
				Instance: "10.0.0.1:6443", Pressure: slo.PressureQueueing,
				Seats: slo.Seats{
					NominalSeats: count(245), CurrentLimitSeats: count(245), ExecutingSeats: count(254), HeadroomSeats: count(-9),
					PeakExecutingSeats: count(260), PeakDemandSeats: count(400), QueuedRequests: count(10),
					NominalHeadroomSeats: count(-9), ReachableHeadroomSeats: count(18),
				},
				Utilization: &slo.SeatUtilization{Average: "0.633333", PeakOver: "1", SaturatedMilliseconds: count(42_500)},
			},
			Total: &slo.Seats{HeadroomSeats: count(189)},
			Requests: &slo.RequestFigures{
				Dispatched: count(81234), Rejected: count(100),
				WaitP99Milliseconds: count(14000), WaitP99Bucket: &slo.LatencyBucket{OverMilliseconds: 10000, UpToMilliseconds: count(15000)},
			},
			FlowSchemas: []slo.FlowSchemaUse{{Name: "service-accounts"}, {Name: "kube-system-service-accounts"}},
			Exhaustion: &slo.Exhaustion{
				Instance: "10.0.0.1:6443", EarlyTime: metav1.NewTime(at.Add(4 * time.Minute)), LikelyTime: metav1.NewTime(at.Add(12 * time.Minute)),
			},
			Instances: &slo.InstanceCounts{Expected: 2, Observed: 2},
			Evidence:  &slo.Evidence{EvaluationTime: metav1.NewMicroTime(at), Figures: []slo.FigureEvidence{{Figure: "byInstance.nominalSeats", Expression: "x"}}},
			Conditions: []metav1.Condition{
				{Type: slo.ConditionHasHeadroom, Status: metav1.ConditionFalse, Reason: "Queueing"},
				{Type: slo.ConditionConfigurationSound, Status: metav1.ConditionFalse, Reason: "FlowSchemaShadowed"},
			},
		},
	}
}

// exempt has neither a limit nor a headroom, which is not a headroom of zero.
func exempt(at time.Time) slo.APFHeadroom {
	return slo.APFHeadroom{
		ObjectMeta: metav1.ObjectMeta{Name: "exempt"},
		Spec:       slo.APFHeadroomSpec{Type: "Exempt", FlowSchemas: []slo.FlowSchema{{Name: "exempt"}}},
		Status: slo.APFHeadroomStatus{
			ObservationTime: &metav1.Time{Time: at},
			Pressure:        slo.PressureUnlimited,
			Worst:           &slo.InstanceSeats{Instance: "10.0.0.2:6443", Seats: slo.Seats{ExecutingSeats: count(2), QueuedRequests: count(0)}},
			Requests:        &slo.RequestFigures{Rejected: count(0)},
			Instances:       &slo.InstanceCounts{Expected: 2, Observed: 2},
		},
	}
}

func TestTable(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := now.Add(-12 * time.Second)
	rest, err := NewRESTWithClock(registrytest.Static[slo.APFHeadroom]{}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	unknown := slo.APFHeadroom{
		ObjectMeta: metav1.ObjectMeta{Name: "no-metrics"},
		Spec:       slo.APFHeadroomSpec{Type: "Limited"},
		Status:     slo.APFHeadroomStatus{Pressure: slo.PressureUnknown},
	}
	items := []slo.APFHeadroom{exempt(at), unknown, {ObjectMeta: metav1.ObjectMeta{Name: "without-a-status"}}, queueing(at)}
	registrytest.Golden(t, rest, &slo.APFHeadroomList{Items: items}, "testdata/table.txt", *update)
	registrytest.Golden(t, rest, &slo.APFHeadroomList{}, "testdata/empty.txt", *update)
}

func TestChanged(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		what   string
		before func(time.Time) slo.APFHeadroom
		change func(*slo.APFHeadroom)
		want   bool
	}{
		{"nothing", queueing, func(*slo.APFHeadroom) {}, false},
		{"time", queueing, func(h *slo.APFHeadroom) { h.Status.ObservationTime = nil }, false},
		{"seats", queueing, func(h *slo.APFHeadroom) {
			h.Status.Worst.ExecutingSeats, h.Status.Worst.HeadroomSeats = count(1), count(244)
		}, false},
		{"current limit", queueing, func(h *slo.APFHeadroom) { h.Status.Worst.CurrentLimitSeats = count(1) }, false},
		{"queue", queueing, func(h *slo.APFHeadroom) { h.Status.Worst.QueuedRequests = count(1) }, false},
		{"counts", queueing, func(h *slo.APFHeadroom) { h.Status.Requests.Dispatched = count(1) }, false},
		{"evidence", queueing, func(h *slo.APFHeadroom) {
			h.Status.Evidence.EvaluationTime = metav1.NewMicroTime(at.Add(time.Minute))
			h.Status.Evidence.Figures[0].Expression += "[600s]"
		}, false},
		{"evidence for the first time", exempt, func(h *slo.APFHeadroom) { h.Status.Evidence = &slo.Evidence{} }, false},
		{"evidence lost", queueing, func(h *slo.APFHeadroom) { h.Status.Evidence = nil }, false},
		{"worst of the unpressed", exempt, func(h *slo.APFHeadroom) { h.Status.Worst.Instance = "x" }, false},
		{"times of exhaustion", queueing, func(h *slo.APFHeadroom) {
			h.Status.Exhaustion.LikelyTime, h.Status.Exhaustion.LateTime = metav1.NewTime(at), new(metav1.NewTime(at))
			h.Status.Exhaustion.Instance = "x"
		}, false},
		{"exhaustion is no longer told", queueing, func(h *slo.APFHeadroom) { h.Status.Exhaustion = nil }, true},
		{"exhaustion is told", exempt, func(h *slo.APFHeadroom) { h.Status.Exhaustion = new(slo.Exhaustion) }, true},
		{"worst", queueing, func(h *slo.APFHeadroom) { h.Status.Worst.Instance = "x" }, true},
		{"pressure", queueing, func(h *slo.APFHeadroom) { h.Status.Pressure = slo.PressureRejecting }, true},
		{"reason", queueing, func(h *slo.APFHeadroom) { h.Status.Conditions[0].Reason = "Stale" }, true},
		{"shares", queueing, func(h *slo.APFHeadroom) { h.Spec.NominalConcurrencyShares = new(int32) }, true},
		{"flow schemas", queueing, func(h *slo.APFHeadroom) { h.Spec.FlowSchemas = h.Spec.FlowSchemas[:1] }, true},
		{"instances", queueing, func(h *slo.APFHeadroom) { h.Status.Instances.Observed-- }, true},
	} {
		before, after := tc.before(at), tc.before(at)
		tc.change(&after)
		if got := changed(&before, &after); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.what, got, tc.want)
		}
	}
}
