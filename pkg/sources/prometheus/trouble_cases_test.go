// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"slices"
	"strings"

	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// trouble is what can go wrong between a cluster and its Prometheus.
var trouble = slices.Concat(troubleOfTargets, troubleOfRestarts, troubleOfClocks)

// troubleCase is a scenario. jobs are the scrape jobs that have all its samples; the first
// has the job of that name.
type troubleCase struct {
	name, text string
	jobs       []string
	warning    string
	// change what the store has; nil: nothing.
	change func([]prometheustest.Sample) []prometheustest.Sample
}

// troubleOfTargets is what can go wrong with instances and their labels.
var troubleOfTargets = []troubleCase{{
	name: "two-jobs",
	text: `# Two jobs scrape one kube-apiserver: it is counted once.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds per-instance
signal seats gauge kube-apiserver seats per-instance samples
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_request_total 100+10x6
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 10+1x6
apiserver_request_sli_duration_seconds_sum 10+1x6
seats 1+1x6
expect instance kube-apiserver 10.0.0.1:6443 observed complete first=-300s last=0s started=-86400s
expect requests{} increase=50
expect latency{} instance=10.0.0.1:6443 count=5
expect seats{} instance=10.0.0.1:6443 last=7 samples=-240s:3,-180s:4,-120s:5,-60s:6,0s:7
`,
	jobs:    []string{"apiserver", "kubernetes-apiservers"},
	warning: `kube-apiserver 10.0.0.1:6443 is scraped as job "apiserver" instance "10.0.0.1:6443" and as job "kubernetes-apiservers" instance "10.0.0.1:6443": only the first is counted`,
}, {
	name: "load-balancer",
	text: `# Two processes answer in turn behind one address: their start times go back and forth.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver lb.example.io:443
started -24h
started -23h from -240s
started -24h from -120s
started -23h from -60s
apiserver_request_total 100 110 50 60 120 70 80
expect instance kube-apiserver lb.example.io:443 unobserved started=-82800s
# No more than 50 requests came: with what looks like resets there would be 200.
expect requests absent
`,
	jobs:    []string{"apiserver"},
	warning: "kube-apiserver lb.example.io:443 is the address of 2 processes that answer in turn",
}, {
	name: "load-balancer-without-start",
	text: `# Nor do start times have to show it: counters that fall time and again are those of several processes, and of nothing else that can be read.
window 300s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds everywhere
signal requests counter kube-apiserver apiserver_request_total everywhere
instance kube-apiserver lb.example.io:443
apiserver_request_total 100 110 50 60 120 70 80
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 1x6
instance kube-apiserver 10.0.0.1:6443
apiserver_request_total 100 110 50 60 70 80 90
apiserver_request_sli_duration_seconds_bucket{le="+Inf"} 1x6
expect instance kube-apiserver 10.0.0.1:6443 observed complete started=unknown
expect instance kube-apiserver lb.example.io:443 unobserved started=unknown
# One fall is a restart: 40 after it, and 50 from zero on.
expect requests{} increase=90
expect latency{} count=0
`,
	jobs:    []string{"apiserver"},
	warning: "kube-apiserver lb.example.io:443 seems to be the address of several processes that answer in turn: it has no process_start_time_seconds, and its counters fell 2 times in the window",
}, {
	name: "nobody-known",
	change: func(samples []prometheustest.Sample) []prometheustest.Sample {
		return slices.DeleteFunc(samples, func(s prometheustest.Sample) bool { return strings.HasPrefix(s.Series, "up{") })
	},
	text: `# Neither up nor a start time came through: the figures stand, and which instances they are of is not known.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
apiserver_request_total 100+10x6
expect requests{} increase=50
`,
	jobs:    []string{"apiserver"},
	warning: `no series up or process_start_time_seconds has job=~"apiserver|`,
}, {
	name: "crash-loop",
	text: `# Processes that follow each other are no load balancer, however many they are. Nobody knows whether each was sampled before it had counted what the one before it had.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -24h
started -250s from -240s
started -130s from -120s
apiserver_request_total 100 110 5 6 5 6 7
expect instance kube-apiserver 10.0.0.1:6443 observed complete started=-130s
expect requests{} increase=13
`,
	jobs:    []string{"apiserver"},
	warning: "kube-apiserver 10.0.0.1:6443 started anew in the window, more than once",
}, {
	name: "bucket-begins",
	text: `# A bucket that was not kept at the start of the window is no bound: what it lacks would look slow.
window 300s
scrape -360s every 60s

signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds by verb
signal total histogram kube-apiserver apiserver_request_duration_seconds by verb
signal wait histogram kube-apiserver apiserver_flowcontrol_request_wait_duration_seconds

# Somebody stopped to drop it. What is born later has it from its first request on.
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="1"}     _x3 40+10x3
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="5"}     10+10x6
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="+Inf"}  10+10x6
apiserver_request_sli_duration_seconds_sum{verb="GET"}               10+10x6
apiserver_request_sli_duration_seconds_count{verb="GET"}             10+10x6
apiserver_request_sli_duration_seconds_bucket{verb="POST",le="1"}    _x5 2 3
apiserver_request_sli_duration_seconds_bucket{verb="POST",le="5"}    _x5 2 3
apiserver_request_sli_duration_seconds_bucket{verb="POST",le="+Inf"} _x5 2 3
apiserver_request_sli_duration_seconds_sum{verb="POST"}              _x5 2 3
apiserver_request_sli_duration_seconds_count{verb="POST"}            _x5 2 3
apiserver_request_duration_seconds_bucket{verb="GET",le="1"}         _x3 40+10x3
apiserver_request_duration_seconds_bucket{verb="GET",le="+Inf"}      10+10x6
apiserver_request_duration_seconds_sum{verb="GET"}                   10+10x6
apiserver_request_duration_seconds_count{verb="GET"}                 10+10x6
# Nothing was there before: all of it begins.
apiserver_flowcontrol_request_wait_duration_seconds_bucket{le="1"}    _x3 1 2 3 4
apiserver_flowcontrol_request_wait_duration_seconds_bucket{le="+Inf"} _x3 1 3 5 7
apiserver_flowcontrol_request_wait_duration_seconds_sum               _x3 1 2 3 4
apiserver_flowcontrol_request_wait_duration_seconds_count             _x3 1 3 5 7

expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect latency{verb="GET"} count=50 le:5=50 le:1=unknown
expect total{verb="GET"} count=50 le:1=unknown
expect wait{} count=7 le:1=4
expect latency{verb="POST"} count=3 le:5=3 le:1=unknown
`,
	jobs:    []string{"apiserver"},
	warning: "the instances have apiserver_request_sli_duration_seconds with different buckets",
}, {
	name: "bucket-spelt-anew",
	text: `# Prometheus 3 writes 1.0 for 1: between the last sample of the old series and the first one of the new something is lost.
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
	name: "kubelets-seldom-asked",
	text: `# What the few questions for many kubelets leave open is no claim: a kubelet that Prometheus has known for less than a window covers nothing.
window 300s
scrape -360s every 60s
signal startup counter kubelet kubelet_pod_starts_total per-instance
instance kubelet born
started -130s from -120s
kubelet_pod_starts_total _x4 0 1 2
instance kubelet down
started -24h
up 1 1 1 1 0 0 0
kubelet_pod_starts_total 100+1x6
instance kubelet late
started -24h from -120s
kubelet_pod_starts_total _x4 5 5 5
instance kubelet less-late
started -24h from -240s
kubelet_pod_starts_total _x2 5 5 5 5 6
instance kubelet restarted
started -24h
started -70s from -60s
kubelet_pod_starts_total 100 100 100 100 101 1 2
expect instance kubelet born observed complete first=-130s last=0s started=-130s
expect instance kubelet down unobserved
expect instance kubelet late observed incomplete first=0s last=0s started=-86400s
expect instance kubelet less-late observed complete first=-240s last=0s started=-86400s
expect instance kubelet restarted observed complete first=-300s last=0s started=-70s
# Counters that begin at zero are not extended below it.
expect startup{} instance=born increase=2
expect startup{} instance=late increase=0
expect Extrapolated startup{} instance=less-late increase=1.25
expect BetweenSamples startup{} instance=less-late increase=1
expect startup{} instance=restarted increase=3
`,
	jobs: []string{""},
}, {
	name: "kubelets-without-start",
	text: `# Without start times the scrapes tell when kubelets were read.
window 300s
scrape -360s every 60s
signal startup counter kubelet kubelet_pod_starts_total
instance kubelet node-a
kubelet_pod_starts_total 100+1x6
instance kubelet node-b
up 1 1 1 1 0 0 0
kubelet_pod_starts_total 100+1x6
expect instance kubelet node-a observed complete first=-300s last=0s started=unknown
expect instance kubelet node-b unobserved
expect startup{} increase=5
`,
	jobs: []string{""},
}, {
	name: "other-labels",
	text: `# A series that goes on under another label of its target, or with its bound in another spelling, was not born. That bound is none until its spelling is as old as the window.
window 300s
scrape -360s every 60s
signal rejected counter kube-apiserver apiserver_flowcontrol_rejected_requests_total by reason
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds by verb
signal seats gauge kube-apiserver seats per-instance samples
instance kube-apiserver 10.0.0.1:6443
started -24h
seats{pod="a"} 1 2 3 4 _ _ _
seats{pod="b"} _x4 5 6 7
apiserver_flowcontrol_rejected_requests_total{reason="time-out",pod="a"} 5000x3 _x3
apiserver_flowcontrol_rejected_requests_total{reason="time-out",pod="b"} _x4 5000x2
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="1"}    1000x3 _x3
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="1.0"}  _x4 1000x2
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="+Inf"} 1002x6
apiserver_request_sli_duration_seconds_sum{verb="GET"} 1000x6
apiserver_request_sli_duration_seconds_bucket{verb="PUT",le="1.0"}  _x4 3x2
apiserver_request_sli_duration_seconds_bucket{verb="PUT",le="+Inf"} _x4 4x2
apiserver_request_sli_duration_seconds_sum{verb="PUT"} _x4 9x2
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect rejected{reason="time-out"} increase=0
expect seats{} instance=10.0.0.1:6443 last=7 samples=-240s:3,-180s:4,-120s:5,-60s:6,0s:7
expect latency{verb="GET"} count=0 le:1=unknown sum=0
expect latency{verb="PUT"} count=4 le:1=unknown sum=9
`,
	jobs:    []string{"apiserver"},
	warning: "those that not all of them have, and had at the start of the window, are left out",
}, {
	name: "kept-anew",
	text: `# Prometheus begins to keep a metric that each instance has always had: nothing was born but on the instance that was.
window 300s
scrape -360s every 60s
signal latency histogram kube-apiserver apiserver_request_sli_duration_seconds by verb everywhere
signal rejected counter kube-apiserver apiserver_request_total by verb everywhere
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_request_total{verb="GET"} _x4 5000x2
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="+Inf"} _x4 9000x2
apiserver_request_sli_duration_seconds_sum{verb="GET"} _x4 9000x2
instance kube-apiserver 10.0.0.2:6443
started -130s from -120s
apiserver_request_total{verb="GET"} _x4 7x2
apiserver_request_sli_duration_seconds_bucket{verb="GET",le="+Inf"} _x4 2x2
apiserver_request_sli_duration_seconds_sum{verb="GET"} _x4 2x2
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect instance kube-apiserver 10.0.0.2:6443 observed complete
expect rejected{verb="GET"} increase=7
expect latency{verb="GET"} count=2 sum=2
`,
	jobs: []string{"apiserver"},
}, {
	name: "two-names",
	text: `# One process is scraped by its address and by its host name.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_request_total 3x3 4 5 6
instance kube-apiserver cp.example.io:6443
started -24h
apiserver_request_total 3x3 4 5 6
expect instance kube-apiserver 10.0.0.1:6443 observed complete
expect instance kube-apiserver cp.example.io:6443 observed complete
expect requests{} increase=6
`,
	jobs:    []string{"apiserver"},
	warning: "10.0.0.1:6443 and cp.example.io:6443 started at the same moment",
}}
