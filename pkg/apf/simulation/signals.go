// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package simulation

import "example.io/slo-apiserver/pkg/sources"

// Names of the signals in a Reading. The evaluation of headrooms reads some of the
// same: signals of one name are declared alike, and need to be read once only.
const (
	nominalLimit   = "apf-nominal-limit-seats"
	lowerLimit     = "apf-lower-limit-seats"
	upperLimit     = "apf-upper-limit-seats"
	currentLimit   = "apf-current-limit-seats"
	highDemand     = "apf-peak-demand-seats"
	smoothedDemand = "apf-smoothed-demand-seats"
	rejected       = "apf-rejected-requests"
)

// Signals are what Simulate needs to find in a Reading. All but the last are set
// for every level in one adjustment of the limits (flowcontrol/apf_controller.go),
// so that an absent series is never zero. A healthy level has no series of rejected
// requests.
func Signals() []sources.Signal {
	return []sources.Signal{
		gauge(nominalLimit,
			"apiserver_flowcontrol_nominal_limit_seats",       // 1.26 and later
			"apiserver_flowcontrol_request_concurrency_limit", // gone in 1.37
		),
		gauge(lowerLimit, "apiserver_flowcontrol_lower_limit_seats"),
		gauge(upperLimit, "apiserver_flowcontrol_upper_limit_seats"),
		gauge(currentLimit, "apiserver_flowcontrol_current_limit_seats"),
		gauge(highDemand, "apiserver_flowcontrol_demand_seats_high_watermark"),
		gauge(smoothedDemand, "apiserver_flowcontrol_demand_seats_smoothed"),
		{
			Name:        rejected,
			Component:   sources.KubeAPIServer,
			Kind:        sources.Counter,
			Metrics:     []string{"apiserver_flowcontrol_rejected_requests_total"},
			Labels:      []string{"priority_level", "flow_schema", "reason"},
			PerInstance: true,
		},
	}
}

func gauge(name string, metrics ...string) sources.Signal {
	return sources.Signal{
		Name:        name,
		Component:   sources.KubeAPIServer,
		Kind:        sources.Gauge,
		Metrics:     metrics,
		Labels:      []string{"priority_level"},
		PerInstance: true,
	}
}
