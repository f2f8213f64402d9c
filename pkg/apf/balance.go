// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apf

import (
	"fmt"
	"math"
	"strconv"
)

// unevenShare of the limit is by how much the use of two instances has to differ to be
// worth a word: half. Clients hold their connections, so that some difference is usual.
const unevenShare = 0.5

// unevenMessage: "; uneven: on average 92% of the limit in use on 10.0.0.1:6443, 3% on
// 10.0.0.2:6443". Seats do not move between kube-apiservers, clients that connect anew
// do. It is "" unless the use of every instance is known.
func unevenMessage(rows []*row) string {
	overTime := true
	for _, r := range rows {
		overTime = overTime && r.Utilization != nil
	}
	var most, least string
	highest, lowest := math.Inf(-1), math.Inf(1)
	for _, r := range rows {
		used, known := r.used(overTime)
		if !known {
			return ""
		}
		if used > highest {
			most, highest = r.Instance, used
		}
		if used < lowest {
			least, lowest = r.Instance, used
		}
	}
	if highest-lowest < unevenShare {
		return ""
	}
	when := "on average "
	if !overTime {
		when = "at the newest sample "
	}
	return fmt.Sprintf("; uneven: %s%s of the limit in use on %s, %s on %s",
		when, percent(highest), most, percent(lowest), least)
}

// used is the share of the limit that is in use: over the window, or at the newest
// sample.
func (r *row) used(overTime bool) (share float64, known bool) {
	switch {
	case r.exempt:
		return 0, false
	case overTime:
		share, err := strconv.ParseFloat(r.Utilization.Average, 64)
		return share, err == nil
	case r.CurrentLimitSeats == nil || *r.CurrentLimitSeats == 0 || r.ExecutingSeats == nil:
		return 0, false
	default:
		return float64(*r.ExecutingSeats) / float64(*r.CurrentLimitSeats), true
	}
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", math.Round(share*100)) }
