// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apiserver/pkg/features"
	utilfeature "k8s.io/apiserver/pkg/util/feature"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// headroomOf a level with these nominal seats in its instances, which are all.
func headroomOf(nominal ...int64) *slo.APFHeadroom {
	h := &slo.APFHeadroom{}
	h.Status.Instances = &slo.InstanceCounts{Expected: int32(len(nominal)), Observed: int32(len(nominal))}
	for _, n := range nominal {
		h.Status.ByInstance = append(h.Status.ByInstance, slo.InstanceSeats{Seats: slo.Seats{NominalSeats: &n}})
	}
	return h
}

func count(n int64) *int64 { return &n }

func estimate(t *testing.T, l *level, r *slo.ClassifiedRequest, headroom *slo.APFHeadroom) *slo.RequestWidth {
	t.Helper()
	req, info, err := newRequest(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return l.width(req, info, r.Counts, headroom)
}

// The estimator is that of the library with these gates, as documented.
func TestGatesOfTheEstimator(t *testing.T) {
	if !utilfeature.DefaultFeatureGate.Enabled(features.SizeBasedListCostEstimate) || !utilfeature.DefaultFeatureGate.Enabled(features.WatchList) {
		t.Error("the estimate of widths changed with the library: see RequestWidth")
	}
}

func TestWidth(t *testing.T) {
	// workload-low by default: 245 nominal seats and a hand of 6 queues, so no
	// request takes more than min(ceil(36.75), floor(40.8)) = 37.
	low := &level{PriorityLevelConfiguration: newLimited("workload-low", &flowcontrolv1.QueuingConfiguration{Queues: 128, HandSize: 6, QueueLengthLimit: 50})}
	low, err := newLevel(low.PriorityLevelConfiguration)
	if err != nil {
		t.Fatal(err)
	}
	rejecting, err := newLevel(newLimited("catch-all", nil))
	if err != nil {
		t.Fatal(err)
	}
	full := headroomOf(245)
	aNewLevel, oneIsMissing, oneIsYoung, notCounted := headroomOf(245, 0), headroomOf(245), headroomOf(245, 245), headroomOf(245)
	aNewLevel.Status.ByInstance[1].NominalSeats = nil
	oneIsMissing.Status.Instances = &slo.InstanceCounts{Expected: 2, Observed: 1, Missing: []string{"b"}}
	oneIsYoung.Status.Instances = &slo.InstanceCounts{Expected: 2, Observed: 1, Missing: []string{"b"}}
	notCounted.Status.Instances = nil
	list := func(counts *slo.ClassifiedCounts, options *slo.ClassifiedListOptions) *slo.ClassifiedRequest {
		return &slo.ClassifiedRequest{ResourceAttributes: &slo.ClassifiedResource{Verb: "list", Resource: "configmaps", Options: options}, Counts: counts}
	}
	watch := func(options *slo.ClassifiedListOptions) *slo.ClassifiedRequest {
		return &slo.ClassifiedRequest{ResourceAttributes: &slo.ClassifiedResource{Verb: "watch", Resource: "configmaps", Options: options}}
	}
	change := func(subresource string, watchers *int64) *slo.ClassifiedRequest {
		r := resource("create", "", "serviceaccounts", "a")
		r.ResourceAttributes.Subresource, r.Counts = subresource, &slo.ClassifiedCounts{Watchers: watchers}
		return r
	}
	exactly := func(seats int64) *slo.RequestWidth {
		return &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: seats, AtMost: seats}, AdditionalLatencyMilliseconds: count(0)}
	}
	large := &slo.ClassifiedCounts{StoredObjects: count(400), AverageObjectBytes: count(20_000)}
	stored := &slo.ClassifiedListOptions{ResourceVersion: "7", ResourceVersionMatch: "Exact"}
	for name, tc := range map[string]struct {
		level    *level
		request  *slo.ClassifiedRequest
		headroom *slo.APFHeadroom
		want     *slo.RequestWidth
	}{
		"get": {low, resource("get", "", "pods", "a"), nil, exactly(1)},
		// From the cache no more than 1 MB is held at once: 10 seats of 100 KB.
		"list":             {low, list(large, nil), full, exactly(10)},
		"small list":       {low, list(&slo.ClassifiedCounts{StoredObjects: count(400), AverageObjectBytes: count(1000)}, nil), full, exactly(4)},
		"list of a page":   {low, list(large, &slo.ClassifiedListOptions{Limit: 10, ResourceVersion: "0"}), full, exactly(2)},
		"list of a name":   {low, list(large, &slo.ClassifiedListOptions{FieldSelector: "metadata.name=a"}), full, exactly(1)},
		"list from etcd":   {low, list(large, stored), full, exactly(37)},
		"small apiserver":  {low, list(large, stored), headroomOf(20), exactly(3)},
		"no seats":         {low, list(large, stored), headroomOf(0), exactly(1)},
		"no queues":        {rejecting, list(large, stored), nil, exactly(80)},
		"watch from now":   {low, watch(&slo.ClassifiedListOptions{ResourceVersion: "7"}), nil, exactly(1)},
		"nothing is known": {low, list(nil, nil), nil, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 10}, Unknown: []string{"StoredObjects", "AverageObjectBytes", "NominalSeats"}}},
		"size is unknown":  {low, list(&slo.ClassifiedCounts{StoredObjects: count(3)}, stored), full, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 37}, Unknown: []string{"AverageObjectBytes"}}},
		"count is unknown": {low, list(&slo.ClassifiedCounts{AverageObjectBytes: count(20_000)}, &slo.ClassifiedListOptions{Limit: 20, ResourceVersion: "0"}), full, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 4}, Unknown: []string{"StoredObjects"}}},
		"old watch":        {low, watch(nil), full, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 10}, Unknown: []string{"StoredObjects", "AverageObjectBytes"}}},
		"unlike instances": {low, list(large, stored), headroomOf(245, 20), &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 3, AtMost: 37}}},
		"a level is new":   {low, list(large, stored), aNewLevel, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 80}, Unknown: []string{"NominalSeats"}}},
		// The cap of a kube-apiserver that was not read may be lower, or higher.
		"one is missing": {low, list(large, stored), oneIsMissing, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 80}, Unknown: []string{"NominalSeats"}}},
		"not counted":    {low, list(large, stored), notCounted, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 80}, Unknown: []string{"NominalSeats"}}},
		// It was read, though not for the whole window.
		"one is young": {low, list(large, stored), oneIsYoung, exactly(37)},

		"change":                {low, change("", nil), full, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 1}, FinalSeats: slo.SeatRange{AtMost: 10}, Unknown: []string{"Watchers"}}},
		"change without events": {low, change("token", nil), full, exactly(1)},
		"few watchers":          {low, change("", count(9)), full, exactly(1)},
		"watchers":              {low, change("", count(35)), full, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 1}, FinalSeats: slo.SeatRange{AtLeast: 4, AtMost: 4}, AdditionalLatencyMilliseconds: count(5)}},
		// 15 seats for 5 ms, as 10 seats for 7.5.
		"many watchers": {low, change("", count(150)), full, &slo.RequestWidth{InitialSeats: slo.SeatRange{AtLeast: 1, AtMost: 1}, FinalSeats: slo.SeatRange{AtLeast: 10, AtMost: 10}, AdditionalLatencyMilliseconds: count(8)}},
	} {
		if diff := cmp.Diff(tc.want, estimate(t, tc.level, tc.request, tc.headroom)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever becomes known, the range only narrows, and what was in it by the full
// facts stays in it.
func TestWidthNarrows(t *testing.T) {
	l, err := newLevel(newLimited("a", &flowcontrolv1.QueuingConfiguration{Queues: 64, HandSize: 6, QueueLengthLimit: 50}))
	if err != nil {
		t.Fatal(err)
	}
	within := func(inner, outer slo.SeatRange) bool {
		return inner.AtLeast >= outer.AtLeast && inner.AtMost <= outer.AtMost && inner.AtLeast <= inner.AtMost
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 6))
		request := randomRequest(r)
		if a := request.ResourceAttributes; a != nil && a.Verb == "list" {
			a.Options = &slo.ClassifiedListOptions{Limit: r.Int64N(600), ResourceVersion: pick(r, []string{"", "0", "7"}), LabelSelector: pick(r, []string{"", "a=b"})}
		}
		known := &slo.ClassifiedCounts{StoredObjects: count(r.Int64N(2000)), AverageObjectBytes: count(1 + r.Int64N(20_000)), Watchers: count(r.Int64N(300))}
		headroom := headroomOf(r.Int64N(300), r.Int64N(300))
		partly := *known
		for _, forget := range []func(){
			func() { partly.StoredObjects = nil }, func() { partly.AverageObjectBytes = nil }, func() { partly.Watchers = nil },
		} {
			if r.IntN(2) == 0 {
				forget()
			}
		}
		request.Counts = known
		all := estimate(t, l, request, headroom)
		request.Counts = &partly
		some := estimate(t, l, request, headroom)
		none := estimate(t, l, request, nil)
		if !within(all.InitialSeats, some.InitialSeats) || !within(some.InitialSeats, none.InitialSeats) ||
			!within(all.FinalSeats, some.FinalSeats) || !within(some.FinalSeats, none.FinalSeats) {
			t.Fatalf("seed %d: %+v: all %+v, some %+v, none %+v", seed, request.ResourceAttributes, all, some, none)
		}
	}
}
