// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

const confirmed = `DataComplete=True AllInstancesObserved
DemandComplete=True NothingRejected
ArithmeticConfirmed=True LimitsAgree
`

// moved is confirmed, but for demand that the change moves.
var moved = strings.Replace(confirmed, "True NothingRejected", "Unknown WidthsChange", 1)

func TestSimulate(t *testing.T) {
	for name, c := range map[string]struct {
		spec v1alpha1.APFSimulationSpec
		want string
	}{
		"nothing changes": {
			want: confirmed + `a 600 -> 600
global-default: 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent -> 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent, gains 0 and 0
workload-low: 245 [24,845] reaches 368 now 323 at peak 343 Queues -> 245 [24,845] reaches 368 now 323 at peak 343 Queues, gains 0 and 0
`,
		},
		// The recipe of the EKS guide: a level of its own for a noisy client. 255 shares
		// instead of 245; of the demand of 300, half goes with the client.
		"a noisy client is isolated": {
			spec: v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{{
				Name: "noisy", New: true, NominalConcurrencyShares: new(int32(10)),
				DemandFrom: &v1alpha1.DemandShare{Level: "workload-low", Percent: 50},
			}}},
			want: moved + `a 600 -> 600
catch-all: 13 [13,613] reaches 357 now 14 at peak 13 Fits -> 12 [12,612] reaches 343 now 13 at peak 12 Fits, gains -1 and -1
global-default: 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent -> 48 [24,648] reaches 355 now 53 at peak 48 FitsIfLent, gains -1 and 0
leader-election: 25 [25,625] reaches 369 now 27 at peak 25 Fits -> 24 [24,624] reaches 355 now 26 at peak 24 Fits, gains -1 and -1
node-high: 98 [73,698] reaches 417 now 79 at peak 73 Fits -> 95 [71,695] reaches 402 now 78 at peak 71 Fits, gains -3 and -1
noisy: - -> 24 [24,624] reaches 355 now 165 at peak 119 Unknown, gains 24 and 165
system: 74 [50,674] reaches 394 now 54 at peak 50 Fits -> 71 [48,671] reaches 379 now 53 at peak 48 Fits, gains -3 and -1
workload-high: 98 [49,698] reaches 393 now 53 at peak 49 Fits -> 95 [47,695] reaches 378 now 52 at peak 47 Fits, gains -3 and -1
workload-low: 245 [24,845] reaches 368 now 323 at peak 343 Queues -> 236 [24,836] reaches 355 now 165 at peak 236 Queues, gains -9 and -158
`,
		},
		// 10 seats a share: 2450 are divided among targets of 1251, and of 1851 at peak. Wide
		// requests may become wider: those of global-default by 22 seats.
		"more seats": {
			spec: v1alpha1.APFSimulationSpec{ServerConcurrencyLimit: new(int32(2450))},
			want: moved + `a 600 -> 2450
catch-all: 13 [13,613] reaches 357 now 14 at peak 13 Fits -> 50 [50,2500] reaches 1449 now 98 at peak 66 Fits, gains 37 and 84
global-default: 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent -> 200 [100,2650] reaches 1499 now 196 at peak 132 FitsIfLent, gains 151 and 143
leader-election: 25 [25,625] reaches 369 now 27 at peak 25 Fits -> 100 [100,2550] reaches 1499 now 196 at peak 132 Fits, gains 75 and 169
node-high: 98 [73,698] reaches 417 now 79 at peak 73 Fits -> 400 [300,2850] reaches 1699 now 588 at peak 397 Fits, gains 302 and 509
system: 74 [50,674] reaches 394 now 54 at peak 50 Fits -> 300 [201,2750] reaches 1600 now 394 at peak 266 Fits, gains 226 and 340
workload-high: 98 [49,698] reaches 393 now 53 at peak 49 Fits -> 400 [200,2850] reaches 1599 now 392 at peak 265 Fits, gains 302 and 339
workload-low: 245 [24,845] reaches 368 now 323 at peak 343 Queues -> 1000 [100,3450] reaches 1499 now 588 at peak 1191 Unknown, gains 755 and 265
`,
		},
		"no queues, and no borrowing": {
			spec: v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{{
				Name: "workload-low", BorrowingLimitPercent: new(int32(0)), LimitResponse: &v1alpha1.LimitResponse{Type: "Reject"},
			}}},
			want: moved + `a 600 -> 600
global-default: 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent -> 49 [24,649] reaches 368 now 68 at peak 68 FitsIfLent, gains 0 and 15
workload-low: 245 [24,845] reaches 368 now 323 at peak 343 Queues -> 245 [24,245] reaches 245 now 245 at peak 245 Rejects, gains 0 and -78
`,
		},
		"queues that hold less than the peak": {
			spec: v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{{
				Name: "workload-low", LimitResponse: &v1alpha1.LimitResponse{Type: "Queue", Queues: new(int32(6)), QueueLengthLimit: new(int32(1))},
			}}},
			want: confirmed + `a 600 -> 600
global-default: 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent -> 49 [24,649] reaches 368 now 53 at peak 49 FitsIfLent, gains 0 and 0
workload-low: 245 [24,845] reaches 368 now 323 at peak 343 Queues -> 245 [24,845] reaches 368 now 323 at peak 343 Rejects, gains 0 and 0
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, render(simulate(t, c.spec, newInput()))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// outcome of a level on an instance.
func outcome(t *testing.T, status *v1alpha1.APFSimulationStatus, level string) v1alpha1.SimulatedSeats {
	t.Helper()
	for _, l := range status.ByInstance[0].Levels {
		if l.Level == level {
			return l
		}
	}
	t.Fatalf("no level %s", level)
	return v1alpha1.SimulatedSeats{}
}

func conditionOf(status *v1alpha1.APFSimulationStatus, kind string) metav1.Condition {
	for _, c := range status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

// What is not known is absent, and a condition names what is missing.
func TestGaps(t *testing.T) {
	for name, c := range map[string]struct {
		harm         func(*Input)
		kind, reason string
		message      string
		after        bool // limits of system after the change are known
		current      bool // and its current limit
	}{
		"no reading": {
			func(in *Input) { in.Reading, in.Problem = nil, errors.New("gone") },
			v1alpha1.ConditionDataComplete, ReasonSourceUnavailable, "does not answer: gone", false, false,
		},
		"an old reading": {
			func(in *Input) { in.Problem = errors.New("gone") },
			v1alpha1.ConditionDataComplete, ReasonStale, "those of 12:00:00 UTC: gone", true, true,
		},
		"no instance": {
			func(in *Input) { in.Reading.Instances = nil },
			v1alpha1.ConditionDataComplete, ReasonNoInstances, "no kube-apiserver", false, false,
		},
		"an instance that was not read": {
			func(in *Input) {
				in.Reading.Instances = append(in.Reading.Instances, sources.Instance{Component: sources.KubeAPIServer, Name: "b", Problem: "refused"})
			},
			v1alpha1.ConditionDataComplete, ReasonInstancesMissing, "b (refused)", true, true,
		},
		"an instance that the source does not know": {
			func(in *Input) { in.Headrooms[0].Status.Instances = &v1alpha1.InstanceCounts{Expected: 2, Observed: 1} },
			v1alpha1.ConditionDataComplete, ReasonTooFewInstances, "1 of 2 kube-apiservers", true, true,
		},
		"requests to an instance that the source does not know": {
			func(in *Input) { in.Headrooms[0].Status.Instances = &v1alpha1.InstanceCounts{Expected: 2, Observed: 1} },
			v1alpha1.ConditionDemandComplete, ReasonTooFewInstances, "1 of 2 kube-apiservers", true, true,
		},
		"a window that is not covered": {
			func(in *Input) { in.Reading.Instances[0].First = now.Add(-time.Minute) },
			v1alpha1.ConditionDataComplete, ReasonWindowIncomplete, "a was not read over the whole window", true, true,
		},
		"demand of one level is not known": {
			func(in *Input) { drop(in, apf.PeakDemand, "exempt") },
			v1alpha1.ConditionDataComplete, ReasonMetricMissing, "demand_seats_high_watermark on a", true, false,
		},
		"demand that is no number": {
			func(in *Input) { set(in, apf.SmoothedDemand, "catch-all", -1, 0) },
			v1alpha1.ConditionDataComplete, ReasonMetricMissing, "demand_seats_smoothed on a", true, false,
		},
		"upper limits are gone": {
			func(in *Input) { delete(in.Reading.Results, apf.UpperLimit) },
			v1alpha1.ConditionDataComplete, ReasonMetricMissing, "upper_limit_seats on a", false, false,
		},
		"requests were rejected": {
			func(in *Input) { reject(in, "global-default", 1) },
			v1alpha1.ConditionDemandComplete, ReasonRequestsRejected, "global-default on a", true, true,
		},
		"whether requests were rejected is not told": {
			func(in *Input) { in.Headrooms[5].Status.ByInstance = []v1alpha1.InstanceSeats{{Instance: "a"}} },
			v1alpha1.ConditionDemandComplete, ReasonMetricMissing, "system on a", true, true,
		},
		"the configuration is a newer one": {
			func(in *Input) { in.Headrooms[5].Spec.NominalConcurrencyShares = new(int32(31)) },
			v1alpha1.ConditionArithmeticConfirmed, ReasonLimitsDiffer, "nominal_limit_seats of system on a is 74, computed 76", true, true,
		},
		"another limit than computed": {
			func(in *Input) { set(in, apf.CurrentLimit, "system", 55, 55) },
			v1alpha1.ConditionArithmeticConfirmed, ReasonLimitsDiffer, "current_limit_seats of system on a is 55, computed 54", true, true,
		},
		"nothing can be compared": {
			func(in *Input) { delete(in.Reading.Results, apf.UpperLimit) },
			v1alpha1.ConditionArithmeticConfirmed, ReasonNotCompared, "no limit could be computed", false, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInput()
			c.harm(&in)
			status := simulate(t, v1alpha1.APFSimulationSpec{}, in)
			got := conditionOf(status, c.kind)
			if got.Reason != c.reason || got.Status == metav1.ConditionTrue || !strings.Contains(got.Message, c.message) {
				t.Errorf("condition %+v", got)
			}
			if len(status.ByInstance) == 0 {
				if c.after {
					t.Error("no instance")
				}
				return
			}
			after := outcome(t, status, "system").After
			if (after != nil) != c.after || c.after && (after.CurrentLimitSeats != nil) != c.current {
				t.Errorf("system after: %+v", after)
			}
		})
	}
}

// A proposed limit of the server makes up for one that is not known.
func TestServerLimitIsProposed(t *testing.T) {
	in := newInput()
	delete(in.Reading.Results, apf.UpperLimit)
	got := outcome(t, simulate(t, v1alpha1.APFSimulationSpec{ServerConcurrencyLimit: new(int32(600))}, in), "system")
	if got.Before != nil || got.After == nil || got.After.NominalSeats != 74 || got.GainedSeats != nil {
		t.Errorf("system: %+v", got)
	}
}

// The exempt level tells the limit of the server, and where it does not, any other
// without a borrowing limit.
func TestServerLimitIsDerived(t *testing.T) {
	in := newInput()
	set(&in, apf.UpperLimit, "catch-all", 700, 700) // as if its configuration had been another
	if got := simulate(t, v1alpha1.APFSimulationSpec{}, in).ByInstance[0].Before.ServerConcurrencyLimit; got != 600 {
		t.Errorf("%d seats, want the 600 that exempt tells", got)
	}
	for level := range reported {
		if level != "system" {
			drop(&in, apf.UpperLimit, level)
		}
	}
	if got := simulate(t, v1alpha1.APFSimulationSpec{}, in).ByInstance[0].Before.ServerConcurrencyLimit; got != 600 {
		t.Errorf("%d seats, want the 600 that system tells", got)
	}
	in.Headrooms[5].Spec.BorrowingLimitPercent = new(int32(811)) // of 74 seats are 600
	if got := simulate(t, v1alpha1.APFSimulationSpec{}, in).ByInstance[0].Before; got != nil {
		t.Errorf("%d seats, want none: what may be borrowed is a limit of its own", got.ServerConcurrencyLimit)
	}
}

// Where requests were rejected, nothing good is said of the peak.
func TestRejectedDemandIsNotTrusted(t *testing.T) {
	in := newInput()
	reject(&in, "global-default", 1)
	reject(&in, "workload-low", 1)
	status := simulate(t, v1alpha1.APFSimulationSpec{}, in)
	for level, want := range map[string]v1alpha1.PeakFit{
		"global-default": v1alpha1.PeakUnknown, "workload-low": v1alpha1.PeakQueues, "system": v1alpha1.PeakFits, "exempt": v1alpha1.PeakUnlimited,
	} {
		if got := outcome(t, status, level); got.After.PeakFit != want || got.Demand.Rejected != (level == "global-default" || level == "workload-low") {
			t.Errorf("%s: %+v of %+v", level, got.After.PeakFit, got.Demand)
		}
	}
}

// Rejections that are not told may have been: nothing good is said of the peak
// either, also of the part of it that a new level takes.
func TestUntoldRejectionsAreNotNone(t *testing.T) {
	in := newInput()
	for i := range in.Headrooms {
		if name := in.Headrooms[i].Name; name != "system" {
			in.Headrooms[i].Status.ByInstance = []v1alpha1.InstanceSeats{{Instance: "a"}, {Instance: "b"}}
		} else {
			in.Headrooms[i].Status.ByInstance = []v1alpha1.InstanceSeats{{Instance: "a", RejectedRequests: new(int64(0))}, {Instance: "b"}}
		}
	}
	status := simulate(t, v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{{
		Name: "noisy", New: true, DemandFrom: &v1alpha1.DemandShare{Level: "global-default", Percent: 50},
	}}}, in)
	for level, want := range map[string]v1alpha1.PeakFit{
		"global-default": v1alpha1.PeakUnknown, "noisy": v1alpha1.PeakUnknown, "workload-low": v1alpha1.PeakQueues,
		"system": v1alpha1.PeakFits, "exempt": v1alpha1.PeakUnlimited,
	} {
		if got := outcome(t, status, level); got.After.PeakFit != want || got.Demand.Rejected {
			t.Errorf("%s: %s of %+v, want %s", level, got.After.PeakFit, got.Demand, want)
		}
	}
}

// Nothing that goes in is changed, and its order does not matter.
func TestInputIsOnlyRead(t *testing.T) {
	change := v1alpha1.APFSimulationSpec{Levels: []v1alpha1.SimulatedLevel{
		{Name: "system", NominalConcurrencyShares: new(int32(7)), LimitResponse: &v1alpha1.LimitResponse{Type: "Reject"}},
		{Name: "noisy", New: true},
	}}
	in := newInput()
	want := simulate(t, change, in)
	fresh := newInput()
	if diff := cmp.Diff(fresh.Headrooms, in.Headrooms); diff != "" {
		t.Errorf("the configuration was changed:\n%s", diff)
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		random.Shuffle(len(in.Headrooms), func(i, j int) { in.Headrooms[i], in.Headrooms[j] = in.Headrooms[j], in.Headrooms[i] })
		for _, result := range in.Reading.Results {
			random.Shuffle(len(result.Series), func(i, j int) { result.Series[i], result.Series[j] = result.Series[j], result.Series[i] })
		}
		if diff := cmp.Diff(want, simulate(t, change, in)); diff != "" {
			t.Fatalf("seed %d: -before +after shuffling:\n%s", seed, diff)
		}
	}
}

// What exempt requests want is taken off before it is decided whether nominal seats
// come back: they do not while 400 of 602 are wanted there.
func TestNominalSeatsDoNotComeBackBesideABusyExemptLevel(t *testing.T) {
	for want, demand := range map[v1alpha1.PeakFit]float64{v1alpha1.PeakFitsAfterReclaim: 2, v1alpha1.PeakFitsIfLent: 400} {
		in := newInput()
		for level, high := range map[string]float64{"workload-low": 200, "global-default": 0, "exempt": demand} {
			set(&in, apf.PeakDemand, level, high, high)
			set(&in, apf.SmoothedDemand, level, high, high)
		}
		if got := outcome(t, simulate(t, v1alpha1.APFSimulationSpec{}, in), "workload-low").After; got.PeakFit != want {
			t.Errorf("a peak of 200 beside %v exempt seats: %s", demand, renderLimits(got))
		}
		drop(&in, apf.PeakDemand, "exempt")
		if got := outcome(t, simulate(t, v1alpha1.APFSimulationSpec{}, in), "workload-low").After; got.PeakFit != v1alpha1.PeakFitsIfLent {
			t.Errorf("a peak of 200 beside unknown exempt seats: %s", renderLimits(got))
		}
	}
}

// 1.26 and 1.27 lend and borrow, but exempt levels have no gauges there, and no part.
func TestExemptLevelsTakeNoPartBefore128(t *testing.T) {
	in := newInput()
	for _, signal := range gauges {
		drop(&in, signal, "exempt")
	}
	status := simulate(t, v1alpha1.APFSimulationSpec{}, in)
	if diff := cmp.Diff(render(simulate(t, v1alpha1.APFSimulationSpec{}, newInput())), render(status)); diff != "" {
		t.Errorf("-with an idle exempt level +without:\n%s", diff)
	}
	for _, l := range status.ByInstance[0].Levels {
		if l.Level == "exempt" {
			t.Errorf("exempt: %+v", l)
		}
	}
	// Where nothing has gauges, the metrics are gone.
	for level := range reported {
		for _, signal := range gauges {
			drop(&in, signal, level)
		}
	}
	if got := conditionOf(simulate(t, v1alpha1.APFSimulationSpec{ServerConcurrencyLimit: new(int32(600))}, in), v1alpha1.ConditionDataComplete); got.Reason != ReasonMetricMissing {
		t.Errorf("without any gauge: %+v", got)
	}
}

// A sample tells of ten seconds: what is between samples further apart is not seen.
func TestPeaksBetweenSamplesAreNotSeen(t *testing.T) {
	for gap, want := range map[time.Duration]string{
		10 * time.Second: "read from 1 kube-apiservers",
		15 * time.Second: "; samples of a are up to 15s apart, and each tells of ten seconds or less: a peak between them is not seen",
	} {
		in := newInput()
		series := in.Reading.Results[apf.SmoothedDemand].Series
		series[0].Samples = []sources.Sample{{Time: now.Add(-2 * gap)}, {Time: now.Add(-gap)}, {Time: now.Add(-gap / 2)}}
		got := conditionOf(simulate(t, v1alpha1.APFSimulationSpec{}, in), v1alpha1.ConditionDataComplete)
		if got.Status != metav1.ConditionTrue || !strings.HasSuffix(got.Message, want) {
			t.Errorf("samples %s apart: %+v", gap, got)
		}
	}
}
