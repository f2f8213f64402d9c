// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"math"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apf/allocation"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
)

// widestRequest is the most seats that any request takes, by size of a LIST
// (flowcontrol/request/config.go MaximumListSeatsLimit).
const widestRequest = 100

// widest is the most seats that one request of a level takes. The nominal limit and
// the hand size lower it where there are queues (apf_controller.go
// finishQueueSetReconfigsLocked, SetMaxSeats), so that a change of either changes how
// wide the same requests are, and with that the demand.
func widest(spec *v1alpha1.APFHeadroomSpec, nominal int) int {
	if r := spec.LimitResponse; r != nil && r.Type == string(flowcontrolv1.LimitResponseTypeQueue) {
		return min(widestRequest, allocation.WidestRequest(nominal, *r.HandSize))
	}
	return widestRequest
}

// widths are the least and the most that the widest request of a level may have been
// while demand was observed.
type widths struct{ least, most int }

// widths of a level; all that are possible when its nominal limit is not known.
func (o *observed) widths(l level) widths {
	nominal, known := o.level(l.name).seats(apf.NominalLimit)
	if !known {
		return widths{1, widestRequest}
	}
	w := widest(l.before, nominal)
	return widths{w, w}
}

// peakSpan is between what the peak of the same requests would be if none may be wider
// than that. When it falls, no request loses more than in proportion; when it rises,
// only those grow that were as wide as they could be, and of them there were no more
// than fit into the peak.
func (d *demand) peakSpan(widest int) (least, most int) {
	peak := d.peak.High
	if d.widths == (widths{}) { // of a new level that wants nothing
		return peak, peak
	}
	least, most = peak, peak
	if widest < min(d.widths.most, peak) { // no request was wider than the peak
		least = int(math.Ceil(float64(peak) * float64(widest) / float64(d.widths.most)))
	}
	if widest > d.widths.least {
		most = peak + peak/d.widths.least*(widest-d.widths.least)
	}
	return least, most
}

// noteWidths notes the levels whose demand may not be with the change what it was.
func (s *simulation) noteWidths(o *observed, d *division) {
	if d == nil {
		return
	}
	for i, l := range s.levels {
		if d.specs[i] == nil || d.demands[i] == nil || exempt(d.specs[i]) {
			continue
		}
		after := widest(d.specs[i], d.states[d.place[i]].Nominal)
		if least, most := d.demands[i].peakSpan(after); least < most {
			s.widened = append(s.widened, fmt.Sprintf("the peak of %d seats of %s on %s becomes one from %d to %d",
				d.demands[i].peak.High, l.name, o.Name, least, most))
		}
	}
}
