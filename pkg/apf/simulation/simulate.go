// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/sources"
)

// Input is what a simulation rests on. It is only read.
type Input struct {
	// Now is when the question is answered.
	Now time.Time
	// Headrooms of all priority levels: their specifications are the configuration.
	Headrooms []v1alpha1.APFHeadroom
	// Reading has the signals of package apf; nil when there is none.
	Reading *sources.Reading
	// Problem says why there is no reading, or why it is an old one.
	Problem error
}

// Simulate answers what the change would do, or says what is wrong with it.
func Simulate(spec *v1alpha1.APFSimulationSpec, in Input) (*v1alpha1.APFSimulationStatus, field.ErrorList) {
	levels, errs := propose(spec, in.Headrooms)
	if len(errs) > 0 {
		return nil, errs
	}
	s := &simulation{Input: in, levels: levels}
	if spec.ServerConcurrencyLimit != nil {
		s.serverLimit = int(*spec.ServerConcurrencyLimit)
	}
	status := &v1alpha1.APFSimulationStatus{Simulated: true}
	if in.Reading != nil {
		s.observed = observe(in.Reading)
		for _, o := range s.observed {
			status.ByInstance = append(status.ByInstance, s.instance(o))
		}
		status.Instances = s.counts()
		s.addTimes(status)
	}
	status.Conditions = []metav1.Condition{s.dataComplete(), s.demandComplete(), s.arithmeticConfirmed()}
	for i := range status.Conditions {
		status.Conditions[i].LastTransitionTime = metav1.NewTime(in.Now)
	}
	return status, nil
}

// simulation is one question while it is answered.
type simulation struct {
	Input
	levels []level
	// serverLimit that is proposed, or 0.
	serverLimit int
	observed    []*observed

	// What was found out about the answer, for the conditions.
	lacking     []string // metrics, by instance
	rejecting   []string // levels, by instance
	widened     []string // demand that the change moves
	differences []string // between reported and computed limits
	confirmed   int      // limits that are as reported
}

// instance answers for one kube-apiserver.
func (s *simulation) instance(o *observed) v1alpha1.SimulatedInstance {
	answer := v1alpha1.SimulatedInstance{Instance: o.Name}
	server := o.serverLimit(s.levels)
	if server == 0 {
		s.lack(o, apf.NominalLimit, apf.UpperLimit)
	}
	demands, changed := s.demands(o)
	before := s.divide(o, server, demands, func(l level) *v1alpha1.APFHeadroomSpec { return l.before })
	if before != nil {
		s.confirm(o, before)
	}
	if s.serverLimit > 0 {
		server = s.serverLimit
	}
	after := s.divide(o, server, changed, func(l level) *v1alpha1.APFHeadroomSpec { return l.after })
	s.noteWidths(o, after)
	answer.Before, answer.After = before.server(), after.server()
	for i, l := range s.levels {
		if o.passesBy(l) {
			continue
		}
		seats := v1alpha1.SimulatedSeats{Level: l.name, Demand: changed[i].api(), Before: before.limits(i), After: after.limits(i)}
		if seats.After != nil && (seats.Before != nil || l.before == nil) {
			seats.GainedSeats, seats.GainedCurrentSeats = gains(seats.Before, seats.After)
		}
		answer.Levels = append(answer.Levels, seats)
	}
	return answer
}

// gains are what a level has more after than before, which is nil for a new one.
func gains(before, after *v1alpha1.SimulatedLimits) (nominal, current *int64) {
	if before == nil {
		return &after.NominalSeats, after.CurrentLimitSeats
	}
	nominal = new(after.NominalSeats - before.NominalSeats)
	if before.CurrentLimitSeats != nil && after.CurrentLimitSeats != nil {
		current = new(*after.CurrentLimitSeats - *before.CurrentLimitSeats)
	}
	return nominal, current
}

// demands of the levels, in their order, without and with the change: a new level
// may be given a part of that of another. Nil where it is not known.
func (s *simulation) demands(o *observed) (before, after []*demand) {
	before = make([]*demand, len(s.levels))
	untold := s.untold()
	for i, l := range s.levels {
		if l.before == nil || o.passesBy(l) {
			continue
		}
		if before[i] = o.level(l.name).demand(); before[i] == nil {
			s.lack(o, apf.PeakDemand, apf.SmoothedDemand)
			continue
		}
		place := l.name + " on " + o.Name
		before[i].untold = slices.Contains(untold, place)
		before[i].widths = o.widths(l)
		if before[i].rejected && !exempt(l.before) {
			s.rejecting = append(s.rejecting, place)
		}
	}
	after = slices.Clone(before)
	taken := make([]int32, len(s.levels))
	for i, l := range s.levels {
		if l.before != nil {
			continue
		}
		if l.demandFrom == nil {
			after[i] = &demand{}
			continue
		}
		from := slices.IndexFunc(s.levels, func(other level) bool { return other.name == l.demandFrom.Level })
		if before[from] == nil {
			continue
		}
		taken[from] += l.demandFrom.Percent
		after[from], _ = before[from].split(taken[from])
		_, after[i] = before[from].split(l.demandFrom.Percent)
	}
	return before, after
}

// api is nil for a demand that is not known.
func (d *demand) api() *v1alpha1.SimulatedDemand {
	if d == nil {
		return nil
	}
	return &v1alpha1.SimulatedDemand{
		HighSeats:     int64(d.latest.High),
		SmoothedSeats: int64(math.Round(d.latest.Smoothed)),
		PeakSeats:     int64(d.peak.High),
		Rejected:      d.rejected,
	}
}

func (s *simulation) addTimes(status *v1alpha1.APFSimulationStatus) {
	var last time.Time
	var covered time.Duration
	for _, o := range s.observed {
		if o.Last.After(last) {
			last = o.Last
		}
		covered = max(covered, o.Covered())
	}
	if len(s.observed) > 0 {
		status.ObservationTime = new(metav1.NewTime(last.UTC().Truncate(time.Second)))
		status.WindowSeconds = new(int64(math.Round(covered.Seconds())))
	}
}
