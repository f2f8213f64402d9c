// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

// troubleOfClocks is what can go wrong with times.
var troubleOfClocks = []troubleCase{{
	name: "clock-stepped-back",
	text: `# A clock is set back by three seconds, and the start of a process with it.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -24h
started -86403s from -120s
apiserver_request_total 3x3 4 5 6
expect instance kube-apiserver 10.0.0.1:6443 observed complete first=-300s
expect requests{} increase=3
`,
	jobs: []string{"apiserver"},
}, {
	name: "one-sample",
	text: `# An increase takes two samples in the window: with one there is no figure, and what was counted is not known.
window 50s
scrape -180s every 60s
signal requests counter kube-apiserver apiserver_request_total
signal startup counter kubelet kubelet_pod_starts_total
instance kube-apiserver 10.0.0.1:6443
started -24h
apiserver_request_total 100+10x3
instance kube-apiserver 10.0.0.2:6443
started -30s from 0s
apiserver_request_total _x3 7
instance kubelet node-a
started -24h
kubelet_pod_starts_total 100+10x3
expect Extrapolated instance kube-apiserver 10.0.0.1:6443 observed first=0s last=0s
expect BetweenSamples instance kube-apiserver 10.0.0.1:6443 observed complete first=-60s last=0s
expect instance kube-apiserver 10.0.0.2:6443 observed complete first=-30s last=0s
expect Extrapolated instance kubelet node-a observed first=0s last=0s
expect BetweenSamples instance kubelet node-a observed complete first=-60s last=0s
expect Extrapolated requests{} increase=7
expect BetweenSamples requests{} increase=17
expect Extrapolated startup absent
expect BetweenSamples startup{} increase=10
`,
	jobs: []string{"apiserver"},
}, {
	name: "clock-of-a-target-ahead",
	text: `# The clock of a kube-apiserver is ahead, so that its process seems to have started after samples of it: it was not born in the window.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -130s
apiserver_request_total 100+10x6
expect instance kube-apiserver 10.0.0.1:6443 observed complete first=-300s last=0s
expect requests{} increase=50
`,
	jobs: []string{"apiserver"},
}, {
	name: "start-time-jitters",
	text: `# The start of a process is computed from a clock that is corrected: one second back is no second process.
window 300s
scrape -360s every 60s
signal requests counter kube-apiserver apiserver_request_total
instance kube-apiserver 10.0.0.1:6443
started -200s from -180s
started -199s from -120s
started -200s from -60s
apiserver_request_total _x3 3 4 5 6
expect instance kube-apiserver 10.0.0.1:6443 observed complete first=-200s started=-200s
expect requests{} increase=6
`,
	jobs: []string{"apiserver"},
}}
