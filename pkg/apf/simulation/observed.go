// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"math"
	"time"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/sources"
)

// gauges that are read. All of them are set for every level in one adjustment of
// the limits (flowcontrol/apf_controller.go), so that an absent series is never zero.
// A healthy level has no series of rejected requests. It is not changed.
var gauges = []string{
	apf.NominalLimit, apf.LowerLimit, apf.UpperLimit, apf.CurrentLimit, apf.PeakDemand, apf.SmoothedDemand,
}

// observed is one kube-apiserver that was read.
type observed struct {
	sources.Instance
	complete bool
	// gap is the longest time between two samples of a level, 0 when not told.
	gap    time.Duration
	levels map[string]*figures
}

// figures of a level as one kube-apiserver reports them. Those that are not known
// are absent from gauges.
type figures struct {
	gauges map[string]gaugeValues
	// rejected requests in the window.
	rejected float64
}

type gaugeValues struct{ last, max float64 }

// observe takes the figures of all kube-apiservers that were read out of a reading,
// which has them sorted.
func observe(reading *sources.Reading) []*observed {
	var all []*observed
	byName := map[string]*observed{}
	for _, i := range reading.Instances {
		if i.Component != sources.KubeAPIServer || !i.Observed {
			continue
		}
		o := &observed{
			Instance: i,
			complete: i.Complete(reading.At, reading.Window, sources.Slack(reading.Window)),
			levels:   map[string]*figures{},
		}
		all, byName[i.Name] = append(all, o), o
	}
	each := func(signal string, take func(*figures, sources.Series)) {
		for _, series := range reading.Results[signal].Series {
			if o := byName[series.Instance]; o != nil && len(series.Values) > 0 {
				take(o.level(series.Values[0]), series)
			}
		}
	}
	for _, signal := range gauges {
		each(signal, func(f *figures, series sources.Series) {
			if isSeats(series.Last) && isSeats(series.Max) {
				f.gauges[signal] = gaugeValues{series.Last, series.Max}
			}
		})
	}
	for _, series := range reading.Results[apf.SmoothedDemand].Series {
		if o := byName[series.Instance]; o != nil {
			for i := 1; i < len(series.Samples); i++ {
				o.gap = max(o.gap, series.Samples[i].Time.Sub(series.Samples[i-1].Time))
			}
		}
	}
	each(apf.RejectedRequests, func(f *figures, series sources.Series) {
		if series.Increase > 0 {
			f.rejected += series.Increase
		}
	})
	return all
}

func (o *observed) level(name string) *figures {
	f := o.levels[name]
	if f == nil {
		f = &figures{gauges: map[string]gaugeValues{}}
		o.levels[name] = f
	}
	return f
}

// passesBy says that the requests of a level take no part in what is divided: before
// 1.28 exempt levels had no gauges, where the others had them, and no seats
// (apf_controller.go updateBorrowingLocked skipped what is not limited).
func (o *observed) passesBy(l level) bool {
	if l.before == nil || !exempt(l.before) || len(o.level(l.name).gauges) > 0 {
		return false
	}
	for _, f := range o.levels {
		if _, known := f.gauges[apf.NominalLimit]; known {
			return true
		}
	}
	return false
}

// maxSeats is far beyond what a kube-apiserver can have or be asked for.
const maxSeats = 1 << 40

// isSeats: NaN, infinities and negative values are no number of seats.
func isSeats(v float64) bool { return v >= 0 && v <= maxSeats }

// seats is the newest value of a gauge, and whether it is known.
func (f *figures) seats(signal string) (int, bool) {
	v, known := f.gauges[signal]
	return int(math.Round(v.last)), known
}

// demand of a level: at the last adjustment, and the highest seen in the window.
type demand struct {
	latest, peak allocation.Demand
	rejected     bool
	// untold: whether requests were rejected is not known.
	untold bool
	// widths of the widest request of the level where it was observed.
	widths widths
}

// demand is nil when it is not known.
func (f *figures) demand() *demand {
	high, known := f.gauges[apf.PeakDemand]
	smoothed, also := f.gauges[apf.SmoothedDemand]
	if !known || !also {
		return nil
	}
	return &demand{
		latest:   allocation.Demand{High: int(math.Round(high.last)), Smoothed: smoothed.last},
		peak:     allocation.Demand{High: int(math.Round(high.max)), Smoothed: smoothed.max},
		rejected: f.rejected > 0,
	}
}

// split takes a part of the demand away, and returns both.
func (d demand) split(percent int32) (rest, part *demand) {
	divide := func(whole allocation.Demand) (rest, part allocation.Demand) {
		fraction := float64(percent) / 100
		part = allocation.Demand{High: int(math.Round(float64(whole.High) * fraction)), Smoothed: whole.Smoothed * fraction}
		return allocation.Demand{High: whole.High - part.High, Smoothed: whole.Smoothed - part.Smoothed}, part
	}
	rest, part = new(d), new(d)
	rest.latest, part.latest = divide(d.latest)
	rest.peak, part.peak = divide(d.peak)
	return rest, part
}

// serverLimit is the concurrency limit of the server: what a level without a
// borrowing limit may borrow (apf_controller.go finishQueueSetReconfigsLocked). The
// exempt level never has one, so that it is asked first. Zero when no level tells.
func (o *observed) serverLimit(levels []level) (limit int) {
	for _, l := range levels {
		nominal, known := o.level(l.name).seats(apf.NominalLimit)
		upper, also := o.level(l.name).seats(apf.UpperLimit)
		if l.before == nil || l.before.BorrowingLimitPercent != nil || !known || !also {
			continue
		}
		if told := (allocation.Bounds{Nominal: nominal, Max: upper}).Server(); limit == 0 || exempt(l.before) {
			limit = told
		}
	}
	return limit
}
