// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package classification

import (
	"math"
	"net/http"
	"time"

	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/storage"
	fcrequest "k8s.io/apiserver/pkg/util/flowcontrol/request"

	slo "example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// Where a number is not known, it is at most these: more make no difference to the
// seats, and do not overflow the estimator.
const (
	manyWatchers = math.MaxInt32
	manyObjects  = 1_000_000_000
)

// facts are what a width is estimated by, at one end of what they may be.
type facts struct {
	// stats of the resource; err says that the kube-apiserver has none.
	stats    storage.Stats
	err      error
	watchers int64
	// cap on the seats of a request of the level. Zero: only the estimator's own.
	cap uint64
}

// width estimates the seats of a request twice, at both ends of what is not known:
// the estimator grows with each of its facts.
func (l *level) width(req *http.Request, info *request.RequestInfo, counts *slo.ClassifiedCounts, headroom *slo.APFHeadroom) *slo.RequestWidth {
	if counts == nil {
		counts = &slo.ClassifiedCounts{}
	}
	caps, capKnown := l.caps(headroom)
	least, most := facts{cap: caps[0]}, facts{cap: caps[1]}
	least.stats, least.err = fewest(counts)
	most.stats = largest(counts)
	most.watchers = manyWatchers
	if counts.Watchers != nil {
		least.watchers = min(*counts.Watchers, manyWatchers)
		most.watchers = least.watchers
	}
	from, to := least.estimate(req), most.estimate(req)
	width := &slo.RequestWidth{
		InitialSeats: slo.SeatRange{AtLeast: int64(from.InitialSeats), AtMost: int64(to.InitialSeats)},
		FinalSeats:   slo.SeatRange{AtLeast: int64(from.FinalSeats), AtMost: int64(to.FinalSeats)},
	}
	if from == to {
		width.AdditionalLatencyMilliseconds = latency(to)
		return width
	}
	width.Unknown = unknown(counts, capKnown, info)
	return width
}

// unknown names what was not known, of what the estimate of such a request is made
// from: the stored objects of a list or watch, the watchers of a change.
func unknown(counts *slo.ClassifiedCounts, capKnown bool, info *request.RequestInfo) (names []string) {
	if info.Verb == "list" || info.Verb == "watch" {
		if counts.StoredObjects == nil {
			names = append(names, slo.UnknownStoredObjects)
		}
		if counts.AverageObjectBytes == nil {
			names = append(names, slo.UnknownAverageObjectBytes)
		}
	} else if counts.Watchers == nil {
		names = append(names, slo.UnknownWatchers)
	}
	if !capKnown {
		names = append(names, slo.UnknownNominalSeats)
	}
	return names
}

// fewest is the least that may be stored. A kube-apiserver knows nothing of a
// resource that another server serves, and takes that for a small one.
func fewest(counts *slo.ClassifiedCounts) (storage.Stats, error) {
	if counts.StoredObjects == nil {
		return storage.Stats{}, fcrequest.ObjectCountNotFoundErr
	}
	stats := storage.Stats{ObjectCount: *counts.StoredObjects, EstimatedAverageObjectSizeBytes: 1}
	if counts.AverageObjectBytes != nil {
		stats.EstimatedAverageObjectSizeBytes = *counts.AverageObjectBytes
	}
	return stats, nil
}

// largest is the most that may be stored. An object without a size is for the
// estimator one of the largest that etcd takes.
func largest(counts *slo.ClassifiedCounts) storage.Stats {
	stats := storage.Stats{ObjectCount: manyObjects}
	if counts.StoredObjects != nil {
		stats.ObjectCount = *counts.StoredObjects
	}
	if counts.AverageObjectBytes != nil {
		stats.EstimatedAverageObjectSizeBytes = *counts.AverageObjectBytes
	}
	return stats
}

func (f facts) estimate(req *http.Request) fcrequest.WorkEstimate {
	estimator := fcrequest.NewWorkEstimator(
		func(string) (storage.Stats, error) { return f.stats, f.err },
		func(*request.RequestInfo) int { return int(f.watchers) },
		fcrequest.DefaultWorkEstimatorConfig(),
		func(string) uint64 { return f.cap },
	)
	return estimator.EstimateWork(req, "", "")
}

// caps are the lowest and the highest cap on the seats of one request, over the
// instances: the lesser of 15 % of the nominal limit and of its share by a hand of
// queues, and at least one (finishQueueSetReconfigsLocked in apf_controller.go).
// Levels without queues have none. That of an instance which was not read may be any.
func (l *level) caps(headroom *slo.APFHeadroom) (caps [2]uint64, known bool) {
	queuing := l.queuing()
	if queuing == nil {
		return caps, true
	}
	if headroom == nil || !everyInstance(&headroom.Status) {
		return [2]uint64{1, 0}, false
	}
	for i, instance := range headroom.Status.ByInstance {
		if instance.NominalSeats == nil {
			return [2]uint64{1, 0}, false
		}
		nominal := float64(*instance.NominalSeats)
		seats := uint64(max(1, min(math.Ceil(nominal*0.15), math.Floor(nominal/float64(queuing.HandSize)))))
		if i == 0 {
			caps = [2]uint64{seats, seats}
			continue
		}
		caps = [2]uint64{min(caps[0], seats), max(caps[1], seats)}
	}
	return caps, true
}

// everyInstance says that there are figures of every kube-apiserver that there
// should be any of. Those which do not cover the window are among them: the limits
// of an instance are of one moment.
func everyInstance(status *slo.APFHeadroomStatus) bool {
	return len(status.ByInstance) > 0 && status.Instances != nil && len(status.ByInstance) >= int(status.Instances.Expected)
}

// latency is rounded up: half of a millisecond is not none.
func latency(estimate fcrequest.WorkEstimate) *int64 {
	milliseconds := int64((estimate.AdditionalLatency + time.Millisecond - 1) / time.Millisecond)
	return &milliseconds
}
