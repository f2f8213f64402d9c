// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +genclient
// +genclient:nonNamespaced
// +genclient:onlyVerbs=create
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// APFSimulation asks what a change of API Priority & Fairness would do: the limits
// that each kube-apiserver would set, under the demand that was last observed. It
// is a review: it can only be created, the answer is in its status, and nothing is
// stored or changed.
type APFSimulation struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is not looked at: a review has no name.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the change that is asked about. All that it does not name stays as it
	// is in the cluster.
	// +optional
	Spec APFSimulationSpec `json:"spec,omitempty"`
	// status is the answer. What a caller sends here is ignored.
	// +optional
	Status APFSimulationStatus `json:"status,omitempty"`
}

// APFSimulationSpec is a proposed change.
type APFSimulationSpec struct {
	// serverConcurrencyLimit is the number of seats of every kube-apiserver, the sum
	// of its flags --max-requests-inflight and --max-mutating-requests-inflight.
	// From 1 to 2097152. Absent: as each of them has it.
	// +optional
	ServerConcurrencyLimit *int32 `json:"serverConcurrencyLimit,omitempty"`
	// levels are the priority levels that are changed or added, 100 at most.
	// +listType=map
	// +listMapKey=name
	// +optional
	Levels []SimulatedLevel `json:"levels,omitempty"`
}

// SimulatedLevel is a priority level that is changed or added. The rules are those
// for a PriorityLevelConfiguration.
type SimulatedLevel struct {
	// name of the PriorityLevelConfiguration.
	Name string `json:"name"`
	// new says that the level does not exist and is added. It is of the type Limited
	// and, where nothing else is given, has the defaults of a
	// PriorityLevelConfiguration with queues.
	// +optional
	New bool `json:"new,omitempty"`
	// nominalConcurrencyShares is the weight of the level, 0 or more.
	// +optional
	NominalConcurrencyShares *int32 `json:"nominalConcurrencyShares,omitempty"`
	// lendablePercent is the share of its nominal seats, in percent from 0 to 100,
	// that other levels may borrow.
	// +optional
	LendablePercent *int32 `json:"lendablePercent,omitempty"`
	// borrowingLimitPercent limits the seats that the level may borrow, in percent of
	// its nominal seats, 0 or more.
	// +optional
	BorrowingLimitPercent *int32 `json:"borrowingLimitPercent,omitempty"`
	// noBorrowingLimit removes the borrowing limit that the level has.
	// +optional
	NoBorrowingLimit bool `json:"noBorrowingLimit,omitempty"`
	// limitResponse is what happens to a request that finds no seat. Figures of the
	// queues that are absent stay as they are.
	// +optional
	LimitResponse *LimitResponse `json:"limitResponse,omitempty"`
	// demandFrom is the demand that a new level is assumed to have. Absent: none.
	// +optional
	DemandFrom *DemandShare `json:"demandFrom,omitempty"`
}

// DemandShare is a part of the demand of a priority level, which a new flow schema
// would send to another one. It is an assumption of the caller: the demand of a
// single flow schema is not measured.
type DemandShare struct {
	// level that the demand is taken from, one that exists.
	Level string `json:"level"`
	// percent of its demand, from 1 to 100. Peaks are divided like the rest.
	Percent int32 `json:"percent"`
}

// APFSimulationStatus is the answer.
type APFSimulationStatus struct {
	// simulated is true: nothing of what is said here has happened.
	// +optional
	Simulated bool `json:"simulated,omitempty"`
	// observationTime is the time of the newest sample of the demand.
	// +optional
	ObservationTime *metav1.Time `json:"observationTime,omitempty"`
	// windowSeconds is the time, in seconds, from the oldest to the newest sample in
	// which peaks of demand were looked for.
	// +optional
	WindowSeconds *int64 `json:"windowSeconds,omitempty"`
	// instances tells how many kube-apiservers were read. Seats do not move between
	// them: each is simulated on its own.
	// +optional
	Instances *InstanceCounts `json:"instances,omitempty"`
	// byInstance is the outcome in each observed kube-apiserver, sorted by instance.
	// +listType=map
	// +listMapKey=instance
	// +optional
	ByInstance []SimulatedInstance `json:"byInstance,omitempty"`
	// conditions are DataComplete, DemandComplete and ArithmeticConfirmed.
	// lastTransitionTime is when the question was answered.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SimulatedInstance is the outcome in one kube-apiserver.
type SimulatedInstance struct {
	// instance is the address of the kube-apiserver.
	Instance string `json:"instance"`
	// before and after say how the seats of the server are divided without and with
	// the change.
	// +optional
	Before *SimulatedServer `json:"before,omitempty"`
	// after is before with the change.
	// +optional
	After *SimulatedServer `json:"after,omitempty"`
	// levels are the priority levels, sorted by level. Exempt levels take no part in a
	// kube-apiserver before 1.28, and are left out.
	// +listType=map
	// +listMapKey=level
	Levels []SimulatedSeats `json:"levels"`
}

// SimulatedServer are the seats of one kube-apiserver, of all levels together.
type SimulatedServer struct {
	// serverConcurrencyLimit is the number of seats that are divided by shares.
	// Before, it is derived from the upper limit of a level without a borrowing limit.
	ServerConcurrencyLimit int64 `json:"serverConcurrencyLimit"`
	// nominalSeats is the sum of the nominal limits, which rounding makes a little
	// larger than serverConcurrencyLimit.
	NominalSeats int64 `json:"nominalSeats"`
}

// SimulatedSeats is the outcome for a priority level in one kube-apiserver.
type SimulatedSeats struct {
	// level is the name of the PriorityLevelConfiguration.
	Level string `json:"level"`
	// demand is what the prediction rests on. Absent when it is not known.
	// +optional
	Demand *SimulatedDemand `json:"demand,omitempty"`
	// before are the limits without the change. Absent for a new level.
	// +optional
	Before *SimulatedLimits `json:"before,omitempty"`
	// after are the limits with the change.
	// +optional
	After *SimulatedLimits `json:"after,omitempty"`
	// gainedSeats is the nominal limit after less that before: negative when the
	// level loses. A new level gains all of it.
	// +optional
	GainedSeats *int64 `json:"gainedSeats,omitempty"`
	// gainedCurrentSeats is the predicted current limit after less that before.
	// +optional
	GainedCurrentSeats *int64 `json:"gainedCurrentSeats,omitempty"`
}

// SimulatedDemand is the demand of a priority level with the change, in seats taken
// or waited for in one kube-apiserver, by requests that are as wide as they were when
// they were seen.
type SimulatedDemand struct {
	// highSeats is the most in the last period of adjustment, ten seconds, by
	// apiserver_flowcontrol_demand_seats_high_watermark.
	HighSeats int64 `json:"highSeats"`
	// smoothedSeats decays by half in five minutes, rounded to seats, by
	// apiserver_flowcontrol_demand_seats_smoothed.
	SmoothedSeats int64 `json:"smoothedSeats"`
	// peakSeats is the highest highSeats in any sample of the window. Where samples are
	// further apart than ten seconds, periods between them are not in it, and a peak
	// may have been higher: all that is said of it holds for what was seen. DataComplete
	// then says how far apart they are.
	PeakSeats int64 `json:"peakSeats"`
	// rejected says that requests were turned away in the window. They are in no
	// figure of demand: the true one was higher.
	// +optional
	Rejected bool `json:"rejected,omitempty"`
}

// SimulatedLimits are the limits of a priority level in one kube-apiserver.
type SimulatedLimits struct {
	// nominalSeats is the level's own share of the seats of the server.
	NominalSeats int64 `json:"nominalSeats"`
	// minimumSeats is what is left of nominalSeats when all that is lendable is lent.
	MinimumSeats int64 `json:"minimumSeats"`
	// maximumSeats is nominalSeats and all that the level may borrow.
	MaximumSeats int64 `json:"maximumSeats"`
	// reachableSeats is the limit that the level gets while all others are at their
	// minimum, those that are exempt included: when exempt requests want more, it gets
	// less. Absent for Exempt levels, which have no limit.
	// +optional
	ReachableSeats *int64 `json:"reachableSeats,omitempty"`
	// currentLimitSeats is the limit that the next adjustment sets, under the demand
	// of highSeats and smoothedSeats of all levels. Where a share lies halfway between
	// two seats it may be one off. That of an Exempt level limits nobody: it is what the
	// level keeps from the others.
	// +optional
	CurrentLimitSeats *int64 `json:"currentLimitSeats,omitempty"`
	// currentLimitAtPeakSeats is the limit if all levels were at their peaks of the
	// window at once, which they need not have been.
	// +optional
	CurrentLimitAtPeakSeats *int64 `json:"currentLimitAtPeakSeats,omitempty"`
	// queueCapacityRequests is the number of requests that fit into all queues.
	// +optional
	QueueCapacityRequests *int64 `json:"queueCapacityRequests,omitempty"`
	// widestRequestSeats is the most seats that one request is counted for. Absent
	// for levels without queues, which have no such limit of their own.
	// +optional
	WidestRequestSeats *int64 `json:"widestRequestSeats,omitempty"`
	// peakFit is how peakSeats would fit: Unlimited, Fits, FitsAfterReclaim,
	// FitsIfLent, Queues, Rejects or Unknown. Where the change moves
	// widestRequestSeats, requests were cut to another width than they would be: it says
	// then what is true of the least and of the most that the peak may become.
	PeakFit PeakFit `json:"peakFit"`
}

// PeakFit is how a peak of demand fits a limit, from the best to the worst.
type PeakFit string

const (
	// PeakUnlimited says that the level is exempt from limits.
	PeakUnlimited PeakFit = "Unlimited"
	// PeakFits says that the peak is within the minimum, which nobody can borrow.
	PeakFits PeakFit = "Fits"
	// PeakFitsAfterReclaim says that the peak is within the nominal limit, and within
	// currentLimitAtPeakSeats: seats that were lent come back with the next adjustment,
	// in ten seconds at most, although all levels are at their peaks.
	PeakFitsAfterReclaim PeakFit = "FitsAfterReclaim"
	// PeakFitsIfLent says that the peak is within the reachable limit: whether it fits
	// depends on the demand of other levels, exempt ones included.
	PeakFitsIfLent PeakFit = "FitsIfLent"
	// PeakQueues says that the peak is beyond the reachable limit: requests wait, and
	// may be rejected when they wait too long or find their queues full.
	PeakQueues PeakFit = "Queues"
	// PeakRejects says that the peak is beyond the reachable limit and, where there
	// are queues, beyond what they hold: requests are rejected.
	PeakRejects PeakFit = "Rejects"
	// PeakUnknown says that the demand is not known, or that requests were rejected, or
	// may have been, and no peak beyond the limit was seen: how many more would fit can
	// not be told.
	PeakUnknown PeakFit = "Unknown"
)

// Condition types of an APFSimulation, beside DataComplete.
const (
	// ConditionDemandComplete is True when no request was rejected in the window, since
	// those that were are in no figure of demand, and the change leaves requests as wide
	// as they were: widestRequestSeats follows nominalSeats and the hand size, and with
	// it the demand of the same requests.
	ConditionDemandComplete = "DemandComplete"
	// ConditionArithmeticConfirmed is True when, without the change, the simulation
	// gives every limit that the kube-apiservers report.
	ConditionArithmeticConfirmed = "ArithmeticConfirmed"
)
