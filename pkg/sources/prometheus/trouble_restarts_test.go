// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"math"
	"slices"
	"strings"
	"time"

	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// troubleOfRestarts are processes that start anew, and buckets that begin, as a store knows
// them.
var troubleOfRestarts = []troubleCase{{
	name: "restart-not-at-the-start",
	text: `# Buckets that fall and buckets that do not count by one rule, wherever in the window the samples lie.
window 330s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds
instance kube-apiserver 10.0.0.1:6443
started -24h
started -150s from -120s
apiserver_request_sli_duration_seconds_bucket{le="1"}    100x3 95x2
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 100x3 100x2
apiserver_request_sli_duration_seconds_sum               100x3 100x2
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect latency{} count=100 le:1=95
`,
	jobs: []string{"apiserver"},
}, {
	name: "restart-small-fall",
	text: `# MetricsQL takes a fall by less than an eighth for no reset.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds
instance kube-apiserver 10.0.0.1:6443
started -24h
started -150s from -120s
apiserver_request_total 13x3 12x2
apiserver_request_sli_duration_seconds_bucket{le="1"}    80x3 80x2
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 100x3 95x2
apiserver_request_sli_duration_seconds_sum               100x3 5x2
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect requests{} increase=12
expect latency{} count=95 le:1=80
`,
	jobs: []string{"apiserver"},
}, {
	name: "restart-right-before",
	text: `# A process that started right before the window, and is sampled first in it: the sample before is of the old one.
window 330s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds
instance kube-apiserver 10.0.0.1:6443
started -24h
started -350s from -300s
apiserver_request_sli_duration_seconds_bucket{le="1"}    13 10x5
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 13 13x5
apiserver_request_sli_duration_seconds_sum               13 13x5
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect latency{} count=13 le:1=10
`,
	jobs: []string{"apiserver"},
}, {
	name: "restart-right-before-and-within",
	text: `# Of two restarts nobody knows which of them showed, though the first one was before the window.
window 330s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -24h
started -350s from -300s
started -150s from -120s
apiserver_request_total 100 5x2 7x2
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect BetweenSamples requests{} increase=7
expect Extrapolated requests{} increase=2.2
`,
	jobs:    []string{"apiserver"},
	warning: "RestartsUnclear",
}, {
	name: "upgrade-of-prometheus",
	change: func(samples []prometheustest.Sample) []prometheustest.Sample {
		return slices.DeleteFunc(samples, func(s prometheustest.Sample) bool {
			return math.IsNaN(s.Value) || strings.HasPrefix(s.Series, "up{") && s.Value == 0 // no marker either
		})
	},
	text: `# An upgrade of Prometheus itself: it leaves no markers, and the old spelling is there for five minutes.
window 300s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds
instance kube-apiserver 10.0.0.1:6443
started -24h
up 1 1 1 1 0 1 1
apiserver_request_sli_duration_seconds_bucket{le="1"}   10 20 30 40 _ _ _
apiserver_request_sli_duration_seconds_bucket{le="1.0"} _ _ _ _ _ 60 70
apiserver_request_sli_duration_seconds_bucket{le="2.5"} 10 20 30 40 _ 60 70
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 10 20 30 40 _ 60 70
apiserver_request_sli_duration_seconds_sum 10 20 30 40 _ 60 70
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect latency{} count=50 le:1=unknown le:2.5=50
`,
	jobs:    []string{"apiserver"},
	warning: "and had at the start of the window, are left out",
}, {
	name: "bucket-begins-per-instance",
	text: `# A bucket begins to be kept, of a signal per instance, as all histograms of API Priority and Fairness are.
window 300s
scrape -360s every 60s
signal wait histogram kube-apiserver apiserver_flowcontrol_request_wait_duration_seconds per-instance
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_flowcontrol_request_wait_duration_seconds_bucket{le="1"}     _x3 40+10x3
apiserver_flowcontrol_request_wait_duration_seconds_bucket{le="+Inf"}  10+10x6
apiserver_flowcontrol_request_wait_duration_seconds_sum                10+10x6
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect wait{} instance=10.0.0.1:6443 count=50 le:1=unknown
`,
	jobs: []string{"apiserver"},
}, {
	name: "restart-of-a-new-node",
	text: `# A kubelet that is new and restarts in the window, as at the bootstrap of a node: what the first process had counted when it was sampled first is not known, and nothing is claimed.
window 300s
scrape -360s every 60s
signal startup histogram kubelet kubelet_pod_start_sli_duration_seconds
instance kubelet fresh
started -230s from -180s
started -100s from -60s
kubelet_pod_start_sli_duration_seconds_bucket{le="5"}    _x3 0 0 12 13
kubelet_pod_start_sli_duration_seconds_bucket{le="+Inf"} _x3 3 10 12 13
kubelet_pod_start_sli_duration_seconds_sum               _x3 3 10 12 13
expect instance kubelet fresh observed incomplete started=-100s
expect startup{} count=13 le:5=13
`,
	jobs: []string{""},
}, {
	name: "restart-by-a-clock-behind",
	text: `# The clock of a target is behind, so that its new process seems to have started before the window, in which the old one was sampled: unclear.
window 300s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds
instance kube-apiserver 10.0.0.1:6443
started -24h
started -310s from -180s
apiserver_request_sli_duration_seconds_bucket{le="1"}    13 13 13 10x3
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 13 13 13 13x3
apiserver_request_sli_duration_seconds_sum               13 13 13 13x3
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect latency{} count=10 le:1=10
`,
	jobs:    []string{"apiserver"},
	warning: "RestartsUnclear",
}, {
	name: "restart-and-gone",
	change: func(samples []prometheustest.Sample) []prometheustest.Sample {
		for i, s := range samples { // of a target that is gone all ends, up too
			if strings.HasPrefix(s.Series, "up{") && s.Value == 0 {
				samples[i].Value = prometheustest.Stale()
			}
		}
		return samples
	},
	text: `# A target restarts, and is no target any more a minute ago: it counts still.
window 300s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds
instance kube-apiserver 10.0.0.1:6443
started -24h
started -210s from -180s
up 1 1 1 1 1 1 0
apiserver_request_sli_duration_seconds_bucket{le="1"}    13 13 13 10x3
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 13 13 13 13x3
apiserver_request_sli_duration_seconds_sum               13 13 13 13x3
instance kube-apiserver 10.0.0.2:6443
started -24h
apiserver_request_sli_duration_seconds_bucket{le="1"}    50x6
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 50x6
apiserver_request_sli_duration_seconds_sum               50x6
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect instance kube-apiserver 10.0.0.2:6443 observed complete
expect latency{} count=13 le:1=10
`,
	jobs: []string{"apiserver"},
}, {
	name: "restart-after-relabelling",
	change: func(samples []prometheustest.Sample) []prometheustest.Sample {
		first := samples[0].At
		for i, s := range samples { // the first scrape was of other labels, and the second one ended its series
			if s.At.Equal(first) {
				samples[i].Series = strings.Replace(s.Series, "{", `{zone="z",`, 1)
				samples = append(samples, prometheustest.Sample{Series: samples[i].Series, At: s.At.Add(time.Minute), Value: prometheustest.Stale()})
			}
		}
		return samples
	},
	text: `# A label of a kubelet as target changes shortly before the window, and it restarts in it.
window 330s
scrape -360s every 60s
signal startup histogram kubelet kubelet_pod_start_sli_duration_seconds
instance kubelet one
started -24h
started -150s from -120s
kubelet_pod_start_sli_duration_seconds_bucket{le="5"}    5000x3 0 1 1
kubelet_pod_start_sli_duration_seconds_bucket{le="+Inf"} 5000x3 1 2 3
kubelet_pod_start_sli_duration_seconds_sum               5000x3 1 2 3
expect instance kubelet one observed complete
expect BetweenSamples startup{} count=3 le:5=1
expect Extrapolated startup{} count=3.3 le:5=1.1
`,
	jobs:    []string{""},
	warning: "RestartsUnclear",
}}
