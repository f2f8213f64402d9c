// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import "math"

// Bucket bounds, each from the source named.
var (
	// k8s.io/apiserver pkg/endpoints/metrics/metrics.go, requestSliLatencies.
	boundsSLI = []float64{0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60}
	// Same file, requestLatencies; k8s.io/apiserver pkg/storage/etcd3/metrics has the same.
	boundsTotal = append([]float64{0.005, 0.025}, boundsSLI...)
	boundsSizes = []float64{1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}
	// k8s.io/apiserver pkg/util/flowcontrol/metrics/metrics.go.
	boundsFlow        = []float64{0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30}
	boundsUtilization = []float64{0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1}
	boundsSeats       = []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1}
	// As a kube-apiserver v1.36 exposes them.
	boundsWatchList = []float64{0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60}
	boundsCacheWait = []float64{0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3}
	boundsEvents    = []float64{1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072}
	boundsAdmission = []float64{0.005, 0.025, 0.1, 0.5, 1, 2.5}
	boundsQueue     = []float64{1e-08, 1e-07, 1e-06, 9.999999999999999e-06, 9.999999999999999e-05, 0.001, 0.01, 0.1, 1, 10}
	boundsRuntime   = []float64{6.399999999999999e-08, 6.399999999999999e-07, 7.167999999999999e-06, 8.191999999999999e-05, 0.0009175039999999999, 0.010485759999999998, 0.11744051199999998}
	boundsBody      = bodyBounds()
)

// bodyBounds of apiserver_request_body_size_bytes: 31 steps of 100 kB.
func bodyBounds() []float64 {
	var bounds []float64
	for i := range 31 {
		bounds = append(bounds, 50_000+100_000*float64(i))
	}
	return bounds
}

// requestFamilies are about requests, by combination or resource: most of a body.
type requestFamilies struct {
	sli, total, sizes, requests, body, etcd, etcdRequests *Family
	watchList, cacheWait, events                          *Family
	inFlight                                              *Family
	// perResource are one number for each resource.
	perResource []*Family
}

func newRequestFamilies() requestFamilies {
	f := requestFamilies{
		sli: newFamily("apiserver_request_sli_duration_seconds",
			"[ALPHA] Request durations without webhooks and priority & fairness queues, in seconds.", Histogram, boundsSLI,
			"component", "group", "resource", "scope", "subresource", "verb", "version"),
		total: newFamily("apiserver_request_duration_seconds",
			"[STABLE] Request durations in seconds.", Histogram, boundsTotal,
			"component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"),
		sizes: newFamily("apiserver_response_sizes", "[STABLE] Response sizes in bytes.", Histogram, boundsSizes,
			"component", "group", "resource", "scope", "subresource", "verb", "version"),
		requests: newFamily("apiserver_request_total", "[STABLE] Requests by response code.", Counter, nil,
			"code", "component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"),
		body: newFamily("apiserver_request_body_size_bytes", "[BETA] Request bodies in bytes.", Histogram, boundsBody,
			"group", "resource", "verb"),
		etcd: newFamily("etcd_request_duration_seconds", "[BETA] Etcd request latency in seconds.", Histogram, boundsTotal,
			"group", "operation", "resource"),
		etcdRequests: newFamily("etcd_requests_total", "[BETA] Etcd requests.", Counter, nil, "group", "operation", "resource"),
		watchList: newFamily("apiserver_watch_list_duration_seconds", "[BETA] Durations of the lists of watches in seconds.", Histogram, boundsWatchList,
			"group", "resource", "scope", "version"),
		cacheWait: newFamily("apiserver_watch_cache_read_wait_seconds", "[BETA] Waits for a fresh watch cache in seconds.", Histogram, boundsCacheWait,
			"group", "resource"),
		events:   newFamily("apiserver_watch_events_sizes", "[BETA] Watch events in bytes.", Histogram, boundsEvents, "group", "resource", "version"),
		inFlight: newFamily("apiserver_longrunning_requests", "[STABLE] Long-running requests.", Gauge, nil, "component", "group", "resource", "scope", "subresource", "verb", "version"),
	}
	for _, name := range []string{
		"apiserver_resource_objects", "apiserver_resource_size_estimate_bytes", "apiserver_storage_list_evaluated_objects_total",
		"apiserver_storage_list_fetched_objects_total", "apiserver_storage_list_returned_objects_total", "apiserver_storage_list_total",
		"apiserver_watch_cache_events_dispatched_total", "apiserver_watch_cache_initializations_total", "apiserver_watch_cache_resource_version",
		"apiserver_watch_events_total", "etcd_bookmark_total", "watch_cache_capacity",
	} {
		kind := Gauge
		if n := len(name); n > 6 && name[n-6:] == "_total" {
			kind = Counter
		}
		f.perResource = append(f.perResource, newFamily(name, "[ALPHA] By resource.", kind, nil, "group", "resource"))
	}
	return f
}

func (f *requestFamilies) all() []*Family {
	return append([]*Family{f.sli, f.total, f.sizes, f.requests, f.body, f.etcd, f.etcdRequests, f.watchList, f.cacheWait, f.events, f.inFlight}, f.perResource...)
}

// flowFamilies are about API Priority & Fairness.
type flowFamilies struct {
	wait, execution, estimated, queueLength      *Family
	dispatched, rejected                         *Family
	executing, seats, queued                     *Family
	queuedSeats                                  *Family
	requestUtilization, seatUtilization, demand  *Family
	limits                                       []*Family
	nominal, current, highWatermark, concurrency *Family
}

func newFlowFamilies() flowFamilies {
	const prefix = "apiserver_flowcontrol_"
	bySchema := func(name string, kind Kind, bounds []float64, more ...string) *Family {
		return newFamily(prefix+name, "[BETA] By flow schema.", kind, bounds, append([]string{"flow_schema", "priority_level"}, more...)...)
	}
	byLevel := func(name string) *Family {
		return newFamily(prefix+name, "[BETA] By priority level.", Gauge, nil, "priority_level")
	}
	f := flowFamilies{
		wait:               newFamily(prefix+"request_wait_duration_seconds", "[BETA] Waits in queues in seconds.", Histogram, boundsFlow, "execute", "flow_schema", "priority_level"),
		execution:          bySchema("request_execution_seconds", Histogram, boundsFlow, "type"),
		estimated:          bySchema("work_estimated_seats", Histogram, []float64{1, 2, 4, 8, 16, 32, 64, 100}),
		queueLength:        bySchema("request_queue_length_after_enqueue", Histogram, []float64{0, 10, 25, 50, 100, 250, 500, 1000}),
		dispatched:         bySchema("dispatched_requests_total", Counter, nil),
		rejected:           bySchema("rejected_requests_total", Counter, nil, "reason"),
		executing:          bySchema("current_executing_requests", Gauge, nil),
		seats:              bySchema("current_executing_seats", Gauge, nil),
		queued:             bySchema("current_inqueue_requests", Gauge, nil),
		queuedSeats:        bySchema("current_inqueue_seats", Gauge, nil),
		requestUtilization: newFamily(prefix+"priority_level_request_utilization", "[ALPHA] Over time.", Histogram, boundsUtilization, "phase", "priority_level"),
		seatUtilization:    newFamily(prefix+"priority_level_seat_utilization", "[ALPHA] Over time.", Histogram, boundsSeats, "phase", "priority_level"),
		demand:             newFamily(prefix+"demand_seats", "[ALPHA] Over time.", Histogram, boundsSeats, "priority_level"),
		nominal:            byLevel("nominal_limit_seats"),
		current:            byLevel("current_limit_seats"),
		highWatermark:      byLevel("demand_seats_high_watermark"),
		concurrency:        byLevel("request_concurrency_limit"),
	}
	for _, name := range []string{"lower_limit_seats", "upper_limit_seats", "demand_seats_average", "demand_seats_stdev", "demand_seats_smoothed", "target_seats"} {
		f.limits = append(f.limits, byLevel(name))
	}
	return f
}

func (f *flowFamilies) all() []*Family {
	return append([]*Family{
		f.wait, f.execution, f.estimated, f.queueLength, f.dispatched, f.rejected, f.executing, f.seats, f.queued, f.queuedSeats,
		f.requestUtilization, f.seatUtilization, f.demand, f.nominal, f.current, f.highWatermark, f.concurrency,
	}, f.limits...)
}

// atMost is the share of a lognormal distribution that is at most x.
func atMost(x, median, sigma float64) float64 {
	if x <= 0 {
		return 0
	}
	return 0.5 * math.Erfc(-math.Log(x/median)/(sigma*math.Sqrt2))
}
