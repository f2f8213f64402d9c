// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package servicelevelindicator

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

func violated(at time.Time) slo.ServiceLevelIndicator {
	return slo.ServiceLevelIndicator{
		ObjectMeta: metav1.ObjectMeta{Name: "api-latency-mutating.patch.deployments--scale.apps"},
		Spec: slo.ServiceLevelIndicatorSpec{
			Report: "api-latency-mutating", Group: "apps", Resource: "deployments", Subresource: "scale", Verb: "PATCH",
			Scope: "resource", ThresholdMilliseconds: 1000, Percentile: 99,
		},
		Status: slo.ServiceLevelIndicatorStatus{
			ObservationTime: &metav1.Time{Time: at},
			WindowSeconds:   count(300),
			Outcome:         slo.OutcomeViolated,
			Requests:        count(40),
			SlowRequests:    count(12),
			GoodRatio:       "0.7",
			Quantiles: slo.Quantiles{
				P50Milliseconds: count(310), P90Milliseconds: count(1400), P99Milliseconds: count(2870),
				P99Bucket: &slo.LatencyBucket{OverMilliseconds: 2000, UpToMilliseconds: count(3000)},
			},
			Total: &slo.TotalLatency{
				Quantiles:        slo.Quantiles{P99Bucket: &slo.LatencyBucket{OverMilliseconds: 5000, UpToMilliseconds: count(6000)}},
				LostMilliseconds: count(108000), LostPerRequestMilliseconds: count(2700),
			},
			Day: &slo.IndicatorDay{GoodMinutes: 1000, BadMinutes: 9, IdleMinutes: 400, UnknownMinutes: 31, GoodRatio: "0.99108"},
		},
	}
}

func excluded(at time.Time) slo.ServiceLevelIndicator {
	i := violated(at)
	i.Name = "api-latency-mutating.patch.widgets.example.com"
	i.Spec.Group, i.Spec.Resource, i.Spec.Subresource = "example.com", "widgets", ""
	i.Status.Outcome, i.Status.Reason = slo.OutcomeExcluded, string(slo.ExcludedCustomResource)
	i.Status.Day = nil
	return i
}

func idle(at time.Time) slo.ServiceLevelIndicator {
	return slo.ServiceLevelIndicator{
		ObjectMeta: metav1.ObjectMeta{Name: "api-latency-readonly-cluster.pods"},
		Spec:       slo.ServiceLevelIndicatorSpec{Report: "api-latency-readonly-cluster", Resource: "pods", Scope: "cluster", ThresholdMilliseconds: 30000},
		Status: slo.ServiceLevelIndicatorStatus{
			ObservationTime: &metav1.Time{Time: at}, Outcome: slo.OutcomeNoTraffic, Requests: count(0), SlowRequests: count(0),
		},
	}
}

func unknown() slo.ServiceLevelIndicator {
	return slo.ServiceLevelIndicator{
		ObjectMeta: metav1.ObjectMeta{Name: "pod-startup-latency"},
		Spec:       slo.ServiceLevelIndicatorSpec{Report: "pod-startup-latency", ThresholdMilliseconds: 5000},
		Status:     slo.ServiceLevelIndicatorStatus{Outcome: slo.OutcomeUnknown, Reason: "NoInstances"},
	}
}

func TestTable(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := now.Add(-12 * time.Second)
	rest, err := NewRESTWithClock(registrytest.Static[slo.ServiceLevelIndicator]{}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	items := []slo.ServiceLevelIndicator{violated(at), excluded(at), idle(at), unknown(), {ObjectMeta: metav1.ObjectMeta{Name: "without-a-status"}}}
	registrytest.Golden(t, rest, &slo.ServiceLevelIndicatorList{Items: items}, "testdata/table.txt", *update)
	registrytest.Golden(t, rest, &slo.ServiceLevelIndicatorList{}, "testdata/empty.txt", *update)
}

func TestChanged(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		what   string
		change func(*slo.ServiceLevelIndicator)
		want   bool
	}{
		{"nothing", func(*slo.ServiceLevelIndicator) {}, false},
		{"time", func(i *slo.ServiceLevelIndicator) { i.Status.ObservationTime = &metav1.Time{Time: at.Add(time.Minute)} }, false},
		{"counts", func(i *slo.ServiceLevelIndicator) { i.Status.Requests, i.Status.SlowRequests = count(1), count(1) }, false},
		{"bucket", func(i *slo.ServiceLevelIndicator) { i.Status.P99Bucket = nil }, false},
		{"total", func(i *slo.ServiceLevelIndicator) { i.Status.Total = nil }, false},
		{"day", func(i *slo.ServiceLevelIndicator) { i.Status.Day.BadMinutes++ }, false},
		{"outcome", func(i *slo.ServiceLevelIndicator) { i.Status.Outcome = slo.OutcomeMet }, true},
		{"reason", func(i *slo.ServiceLevelIndicator) { i.Status.Reason = "InstancesMissing" }, true},
		{"threshold", func(i *slo.ServiceLevelIndicator) { i.Spec.ThresholdMilliseconds = 1 }, true},
	} {
		before, after := violated(at), violated(at)
		tc.change(&after)
		if got := changed(&before, &after); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.what, got, tc.want)
		}
	}
}
