// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// PeakSource is what the peak use of seats is known from.
type PeakSource string

const (
	// PeakSourceSeatUtilization is a histogram over time in the kube-apiserver:
	// nothing is missed.
	PeakSourceSeatUtilization PeakSource = "SeatUtilization"
	// PeakSourceSamples are the moments at which metrics were read.
	PeakSourceSamples PeakSource = "Samples"
)

// SeatUtilization is the use of seats, weighted by time, as a share of the current
// limit at each moment; the limit moves every ten seconds. While it is zero, the
// kube-apiserver takes a tenth of all its seats for it. Shares are decimals of up to
// six digits: "0.25" is a quarter of the limit.
type SeatUtilization struct {
	// average over the window.
	// +optional
	Average string `json:"average,omitempty"`
	// peakOver and peakUpTo are the bounds of the bucket with the highest share that
	// was reached: over the one, up to the other. peakOver "0" and peakUpTo "0" say
	// that no seat was taken.
	// +optional
	PeakOver string `json:"peakOver,omitempty"`
	// peakUpTo is absent when the share was over 1: a wide request overshot the
	// limit, or the limit was lowered under what was taken.
	// +optional
	PeakUpTo string `json:"peakUpTo,omitempty"`
	// saturatedMilliseconds is how long more than 99% of the seats were taken, in
	// milliseconds.
	// +optional
	SaturatedMilliseconds *int64 `json:"saturatedMilliseconds,omitempty"`
}

// FlowSchemaUse is what the requests of one flow schema took of a priority level,
// over all observed instances. A figure that one of them lacks is absent.
type FlowSchemaUse struct {
	// name of the FlowSchema.
	Name string `json:"name"`
	// executingSeats is the number of seats taken at the newest samples.
	// +optional
	ExecutingSeats *int64 `json:"executingSeats,omitempty"`
	// executingShare is executingSeats as a share of the seats that the level has
	// taken: a decimal of up to six digits. Absent while none is taken.
	// +optional
	ExecutingShare string `json:"executingShare,omitempty"`
	// peakExecutingSeats is the sum over instances of the highest number of taken
	// seats in any sample of the window.
	// +optional
	PeakExecutingSeats *int64 `json:"peakExecutingSeats,omitempty"`
	// estimatedSeatSeconds is how many seats were taken for how long in the window
	// until requests were answered: the execution time of all requests multiplied by
	// their mean width. An estimate: wide requests may take longer than narrow ones.
	// Seats that are held after the answer are not in it: a change that ten or more
	// watches are told of holds its seats for 5 milliseconds or more for each ten of
	// them, which may be most of what a flow schema of changes takes. They are in
	// executingSeats and peakExecutingSeats.
	// +optional
	EstimatedSeatSeconds *int64 `json:"estimatedSeatSeconds,omitempty"`
	// dispatched is the number of requests that got seats in the window.
	// +optional
	Dispatched *int64 `json:"dispatched,omitempty"`
	// rejected is the number of requests turned away in the window. Their reasons are
	// in requests.rejectedBy.
	// +optional
	Rejected *int64 `json:"rejected,omitempty"`
	// waitP50Milliseconds is the median of the time that requests waited until they
	// got seats or gave up, in milliseconds, rounded up.
	// +optional
	WaitP50Milliseconds *int64 `json:"waitP50Milliseconds,omitempty"`
	// waitP99Milliseconds is the 99th percentile of the same.
	// +optional
	WaitP99Milliseconds *int64 `json:"waitP99Milliseconds,omitempty"`
	// executionMeanMilliseconds is the mean time that a request held its seats, in
	// milliseconds, rounded up; of a watch, that of its initial events.
	// +optional
	ExecutionMeanMilliseconds *int64 `json:"executionMeanMilliseconds,omitempty"`
	// meanWidthSeats is the mean number of seats that a request asks for, as a decimal
	// of up to six digits; rejected requests are in it. A wide LIST takes ten seats.
	// +optional
	MeanWidthSeats string `json:"meanWidthSeats,omitempty"`
}
