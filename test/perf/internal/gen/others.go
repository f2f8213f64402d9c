// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// others are the families of a kube-apiserver that are neither about requests nor
// about flow control: runtime, work queues, admission, feature gates, clients. In
// the lab, and so here, 200 of its 290 families are of this kind.
type others struct {
	start    *Family
	families []*Family
	// live series change from scrape to scrape.
	live []liveSeries
}

type liveSeries struct {
	family *Family
	series *Series
}

// set of families of one shape: each has a series for each value of a label.
type set struct {
	name   string // %s or %d is replaced in families of a set of more than one
	count  int
	kind   Kind
	bounds []float64
	label  string
	values int
	// live of ten series change in 15 seconds.
	live int
}

var sets = []set{
	{"kubernetes_feature_enabled", 1, Gauge, nil, "name", 242, 0},
	{"apiserver_admission_controller_admission_duration_seconds", 1, Histogram, boundsAdmission, "name", 55, 4},
	{"workqueue_queue_duration_seconds", 1, Histogram, boundsQueue, "name", 29, 3},
	{"workqueue_work_duration_seconds", 1, Histogram, boundsQueue, "name", 29, 3},
	{"workqueue_stat%d", 5, Gauge, nil, "name", 29, 2},
	{"rest_client_request_duration_seconds", 1, Histogram, boundsFlow, "verb", 5, 5},
	{"rest_client_request_size_bytes", 1, Histogram, boundsSizes, "verb", 5, 5},
	{"apiserver_request_filter_duration_seconds", 1, Histogram, boundsFlow, "filter", 5, 10},
	{"apiserver_admission_step_admission_duration_seconds", 1, Histogram, boundsAdmission, "type", 6, 5},
	{"apiserver_admission_step_admission_duration_seconds_summary", 1, Summary, []float64{0.5, 0.9, 0.99}, "type", 6, 5},
	{"apiserver_admission_webhook_admission_duration_seconds", 1, Histogram, boundsAdmission, "name", 4, 5},
	{"authentication_duration_seconds", 1, Histogram, boundsFlow, "result", 2, 10},
	{"authorization_duration_seconds", 1, Histogram, boundsFlow, "result", 2, 10},
	{"aggregator_unavailable_apiservice", 1, Gauge, nil, "name", 21, 0},
	{"apiserver_cel_duration_seconds%d", 4, Histogram, boundsFlow, "", 1, 0},
	{"go_runtime_seconds%d", 6, Histogram, boundsRuntime, "", 1, 10},
	{"go_memstats_bytes%d", 45, Gauge, nil, "", 1, 9},
	{"go_gc_total%d", 15, Counter, nil, "", 1, 9},
	{"process_stat%d", 8, Gauge, nil, "", 1, 8},
	{"apiserver_small%d_total", 70, Counter, nil, "", 1, 1},
	{"apiserver_small%d_state", 40, Gauge, nil, "kind", 2, 1},
}

func newOthers(random *rand.Rand, started time.Time) *others {
	o := &others{
		start: newFamily("process_start_time_seconds", "[ALPHA] Start time of the process since unix epoch in seconds.", Gauge, nil),
	}
	o.families = append(o.families, o.start)
	for _, s := range sets {
		for i := range s.count {
			name := s.name
			if s.count > 1 {
				name = fmt.Sprintf(s.name, i)
			}
			o.families = append(o.families, s.family(name, random, started, &o.live))
		}
	}
	return o
}

func (s set) family(name string, random *rand.Rand, started time.Time, live *[]liveSeries) *Family {
	var labels []string
	if s.label != "" {
		labels = []string{s.label}
	}
	f := newFamily(name, "[ALPHA] What "+name+" measures.", s.kind, s.bounds, labels...)
	for i := range s.values {
		var values []string
		if s.label != "" {
			values = []string{fmt.Sprintf("%s-of-some-component-%03d", s.label, i)}
		}
		series := f.add(started, values...)
		series.Value = float64(random.IntN(3))
		if random.IntN(10) < s.live {
			*live = append(*live, liveSeries{f, series})
		}
	}
	return f
}

// advance what changes all the time.
func (o *others) advance(random *rand.Rand) {
	for _, l := range o.live {
		switch f := l.family; f.Kind {
		case Histogram:
			for range 1 + random.IntN(4) {
				bound := f.Bounds[random.IntN(len(f.Bounds))]
				f.observe(l.series, bound*(0.5+random.Float64()/2), uint64(1+random.IntN(50)))
			}
		case Summary:
			l.series.Counts[0] += uint64(random.IntN(50))
			l.series.Sum += random.Float64()
			for i := range l.series.Quantiles {
				l.series.Quantiles[i] = random.Float64() * float64(i+1)
			}
		case Counter:
			l.series.Value += float64(1 + random.IntN(1000))
		case Gauge:
			l.series.Value = float64(random.Uint32N(1 << 30))
		}
	}
}
