// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package sloreport

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

// violated, met, noTraffic and unknown are the four outcomes.
func violated(at time.Time) slo.SLOReport {
	return slo.SLOReport{
		ObjectMeta: metav1.ObjectMeta{Name: "api-latency-mutating"},
		Spec:       slo.SLOReportSpec{ThresholdMilliseconds: 1000},
		Status: slo.SLOReportStatus{
			ObservationTime: &metav1.Time{Time: at},
			WindowSeconds:   count(300),
			Verdict:         slo.VerdictViolated,
			Requests:        count(18234),
			SlowRequests:    count(412),
			GoodRatio:       "0.977405",
			Quantiles: slo.Quantiles{
				P50Milliseconds: count(310), P90Milliseconds: count(1400), P99Milliseconds: count(2870),
				P99Bucket: &slo.LatencyBucket{OverMilliseconds: 2000, UpToMilliseconds: count(3000)},
			},
			Keys:       &slo.KeyCounts{Total: 61, Violated: 1, Idle: 2},
			Worst:      []slo.KeyFigures{{Group: "apps", Resource: "deployments", Subresource: "scale", Verb: "PATCH"}},
			Finding:    "Violated, and callers wait 2.7s more",
			Overhead:   &slo.Overhead{LostPerRequestMilliseconds: count(2700)},
			Instances:  &slo.InstanceCounts{Expected: 2, Observed: 2},
			Day:        &slo.DayMinutes{BadMinutes: 9, BadMinutesAllowed: 14},
			Conditions: []metav1.Condition{{Type: slo.ConditionMet, Status: metav1.ConditionFalse, Reason: "KeysViolated"}},
			Evidence:   &slo.Evidence{EvaluationTime: metav1.NewMicroTime(at), Figures: []slo.FigureEvidence{{Figure: "requests", Expression: "sum(x)"}}},
		},
	}
}

func met(at time.Time) slo.SLOReport {
	r := violated(at)
	r.Name = "api-latency-readonly-cluster"
	r.Spec.ThresholdMilliseconds = 30000
	r.Status.Verdict = slo.VerdictMet
	r.Status.SlowRequests, r.Status.GoodRatio = count(0), "1"
	r.Status.P99Bucket = &slo.LatencyBucket{OverMilliseconds: 0, UpToMilliseconds: count(5)}
	r.Status.Keys = &slo.KeyCounts{Total: 40}
	r.Status.Worst = []slo.KeyFigures{{Resource: "pods"}}
	r.Status.Evidence = nil
	r.Status.Day = &slo.DayMinutes{BadMinutesAllowed: 14}
	r.Status.Conditions = []metav1.Condition{{Type: slo.ConditionMet, Status: metav1.ConditionTrue, Reason: "AllKeysHold"}}
	return r
}

func noTraffic(at time.Time) slo.SLOReport {
	return slo.SLOReport{
		ObjectMeta: metav1.ObjectMeta{Name: "api-latency-readonly-namespace"},
		Spec:       slo.SLOReportSpec{ThresholdMilliseconds: 30000},
		Status: slo.SLOReportStatus{
			ObservationTime: &metav1.Time{Time: at},
			Verdict:         slo.VerdictNoTraffic,
			Requests:        count(0),
			SlowRequests:    count(0),
			Instances:       &slo.InstanceCounts{Expected: 2, Observed: 1},
			Day:             &slo.DayMinutes{UnknownMinutes: minutesPerDay, BadMinutesAllowed: 14}, // not 0/14
			Conditions:      []metav1.Condition{{Type: slo.ConditionMet, Status: metav1.ConditionUnknown, Reason: "NoTraffic"}},
		},
	}
}

func unknown() slo.SLOReport {
	return slo.SLOReport{
		ObjectMeta: metav1.ObjectMeta{Name: "pod-startup-latency"},
		Spec:       slo.SLOReportSpec{ThresholdMilliseconds: 5000},
		Status: slo.SLOReportStatus{
			Verdict:    slo.VerdictUnknown,
			Conditions: []metav1.Condition{{Type: slo.ConditionMet, Status: metav1.ConditionUnknown, Reason: "NoKubeletSeen"}},
		},
	}
}

func TestTable(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := now.Add(-12 * time.Second)
	rest, err := NewRESTWithClock(registrytest.Static[slo.SLOReport]{}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	items := []slo.SLOReport{violated(at), met(at), noTraffic(at), unknown(), {ObjectMeta: metav1.ObjectMeta{Name: "without-a-status"}}}
	registrytest.Golden(t, rest, &slo.SLOReportList{Items: items}, "testdata/table.txt", *update)
	registrytest.Golden(t, rest, &slo.SLOReportList{}, "testdata/empty.txt", *update)
}

func TestChanged(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		what   string
		change func(*slo.SLOReport)
		want   bool
	}{
		{"nothing", func(*slo.SLOReport) {}, false},
		{"time", func(r *slo.SLOReport) { r.Status.ObservationTime = &metav1.Time{Time: at.Add(time.Minute)} }, false},
		{"counts", func(r *slo.SLOReport) { r.Status.Requests, r.Status.SlowRequests = count(1), count(1) }, false},
		{"ratio", func(r *slo.SLOReport) { r.Status.GoodRatio = "0.5" }, false},
		{"quantile within its bucket", func(r *slo.SLOReport) { r.Status.P99Milliseconds = count(2500) }, false},
		{"figures of the worst key", func(r *slo.SLOReport) { r.Status.Worst[0].Requests++ }, false},
		{"idle keys", func(r *slo.SLOReport) { r.Status.Keys.Idle++ }, false},
		{"good minutes", func(r *slo.SLOReport) { r.Status.Day.GoodMinutes++ }, false},
		{"finding", func(r *slo.SLOReport) { r.Status.Finding = "x" }, false},
		{"evidence", func(r *slo.SLOReport) {
			r.Status.Evidence.EvaluationTime = metav1.NewMicroTime(at.Add(time.Minute))
			r.Status.Evidence.Figures[0].Expression += "[600s]"
		}, false},
		{"evidence for the first time", func(r *slo.SLOReport) { *r = met(at); r.Status.Evidence = &slo.Evidence{} }, false},
		{"evidence lost", func(r *slo.SLOReport) { r.Status.Evidence = nil }, false},
		{"message", func(r *slo.SLOReport) { r.Status.Conditions[0].Message = "x" }, false},
		{"verdict", func(r *slo.SLOReport) { r.Status.Verdict = slo.VerdictUnknown }, true},
		{"reason", func(r *slo.SLOReport) { r.Status.Conditions[0].Reason = "Stale" }, true},
		{"further condition", func(r *slo.SLOReport) {
			r.Status.Conditions = append(r.Status.Conditions, metav1.Condition{Type: slo.ConditionLowTraffic})
		}, true},
		{"bucket", func(r *slo.SLOReport) { r.Status.P99Bucket = &slo.LatencyBucket{OverMilliseconds: 3000} }, true},
		{"bucket lost", func(r *slo.SLOReport) { r.Status.P99Bucket = nil }, true},
		{"another worst key", func(r *slo.SLOReport) { r.Status.Worst[0].Verb = "PUT" }, true},
		{"another worst key, all hold", func(r *slo.SLOReport) { *r = met(at); r.Status.Worst[0].Resource = "nodes" }, false},
		{"violated keys", func(r *slo.SLOReport) { r.Status.Keys.Violated++ }, true},
		{"bad minutes", func(r *slo.SLOReport) { r.Status.Day.BadMinutes++ }, true},
		{"instances", func(r *slo.SLOReport) { r.Status.Instances.Observed-- }, true},
		{"objective", func(r *slo.SLOReport) { r.Spec.ThresholdMilliseconds = 1 }, true},
		{"labels", func(r *slo.SLOReport) { r.Labels = map[string]string{"a": "b"} }, true},
	} {
		before, after := violated(at), violated(at)
		if tc.what == "another worst key, all hold" || tc.what == "evidence for the first time" {
			before = met(at)
		}
		tc.change(&after)
		if got := changed(&before, &after); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.what, got, tc.want)
		}
	}
}
