// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
)

// word is a family, and in which minor versions kube-apiservers expose it by default:
// from the first to the last, where 0 is the newest. It was read in k8s.io/apiserver
// v0.23.17 to v0.37.2; that a deprecated family is hidden before it is gone is from
// k8s.io/component-base metrics/registry.go.
type word struct {
	name        string
	first, last int
	kind        string
	// series after the name, with their values, as that version has them.
	series func(minor int) []string
}

const level = `priority_level="workload-low"`

// value is a single series.
func value(labels string, v float64) func(int) []string {
	return func(int) []string { return []string{fmt.Sprintf("{%s} %g", labels, v)} }
}

// latencies are count observations that are in all buckets from the second one on.
func latencies(labels string, count int, bounds ...string) []string {
	var lines []string
	for i, le := range append(bounds, "+Inf") {
		n := count
		if i == 0 {
			n = 0
		}
		lines = append(lines, fmt.Sprintf("_bucket{%s,le=%q} %d", labels, le, n))
	}
	return append(lines, fmt.Sprintf("_sum{%s} %d", labels, count/10), fmt.Sprintf("_count{%s} %d", labels, count))
}

func bounds(text string) []string { return strings.Fields(text) }

const requestBuckets = "0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60"

func requests(more string) func(int) []string {
	return func(int) []string {
		var lines []string
		for _, one := range []string{`verb="PATCH",scope="resource"`, `verb="LIST",scope="cluster"`} {
			lines = append(lines, latencies(`component="apiserver",group="",version="v1",resource="pods",subresource="",`+one+more, 1000, bounds(requestBuckets)...)...)
		}
		return lines
	}
}

func vocabulary() []word {
	const fs = `flow_schema="service-accounts",` + level
	return []word{
		{"kubernetes_build_info", 23, 0, "gauge", func(minor int) []string {
			return []string{fmt.Sprintf(`{git_version="v1.%d.3",major="1",minor="%d"} 1`, minor, minor)}
		}},
		{"process_start_time_seconds", 23, 0, "gauge", func(int) []string { return []string{" 1.7e9"} }},
		{"apiserver_request_slo_duration_seconds", 23, 27, "histogram", requests("")},
		{"apiserver_request_sli_duration_seconds", 26, 0, "histogram", requests("")},
		{"apiserver_request_duration_seconds", 23, 0, "histogram", requests(`,dry_run=""`)},
		{"apiserver_request_total", 23, 0, "counter", func(int) []string {
			one := `{component="apiserver",group="",version="v1",resource="pods",subresource="",verb="PATCH",scope="resource",code="200",dry_run=`
			return []string{one + `""} 990`, one + `"All"} 10`, strings.Replace(one, "PATCH", "GET", 1) + `""} 500`}
		}},
		{"apiserver_watch_list_duration_seconds", 29, 0, "histogram", func(minor int) []string {
			if minor < 32 || minor == 33 {
				return nil // the feature gate WatchList is off
			}
			buckets := "0.05 0.1 0.2 0.4 0.6 0.8 1 2 4 6 8 10 15 20 30 45 60"
			if minor >= 37 {
				buckets = "0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60 90 120 180 300"
			}
			return latencies(`group="",version="v1",resource="pods",scope="cluster"`, 7, bounds(buckets)...)
		}},
		{"apiserver_storage_objects", 23, 36, "gauge", func(int) []string {
			return []string{`{resource="nodes"} 3`, `{resource="pods"} 40`, `{resource="namespaces"} 5`, `{resource="services"} 6`, `{resource="deployments.apps"} 9`}
		}},
		{"apiserver_resource_objects", 34, 0, "gauge", func(int) []string {
			return []string{`{group="",resource="nodes"} 3`, `{group="",resource="pods"} 40`, `{group="",resource="namespaces"} 5`, `{group="",resource="services"} 6`, `{group="apps",resource="deployments"} 9`}
		}},
		{"apiserver_flowcontrol_request_concurrency_limit", 23, 30, "gauge", value(level, 245)},
		{"apiserver_flowcontrol_request_concurrency_in_use", 23, 31, "gauge", value(fs, 145)},
		{"apiserver_flowcontrol_nominal_limit_seats", 26, 0, "gauge", value(level, 245)},
		{"apiserver_flowcontrol_current_limit_seats", 26, 0, "gauge", value(level, 245)},
		{"apiserver_flowcontrol_lower_limit_seats", 26, 0, "gauge", value(level, 25)},
		{"apiserver_flowcontrol_upper_limit_seats", 26, 0, "gauge", value(level, 845)},
		{"apiserver_flowcontrol_demand_seats_high_watermark", 26, 0, "gauge", value(level, 155)},
		{"apiserver_flowcontrol_demand_seats_smoothed", 26, 0, "gauge", value(level, 150)},
		{"apiserver_flowcontrol_current_executing_seats", 28, 0, "gauge", value(fs, 145)},
		{"apiserver_flowcontrol_current_inqueue_requests", 23, 0, "gauge", value(fs, 10)},
		{"apiserver_flowcontrol_current_inqueue_seats", 28, 0, "gauge", value(fs, 10)},
		{"apiserver_flowcontrol_dispatched_requests_total", 23, 0, "counter", value(fs, 4000)},
		{"apiserver_flowcontrol_rejected_requests_total", 23, 0, "counter", value(fs+`,reason="time-out"`, 100)},
		{"apiserver_flowcontrol_request_wait_duration_seconds", 23, 0, "histogram", func(minor int) []string {
			buckets := "0 0.005 0.02 0.05 0.1 0.2 0.5 1 2 5 10 30"
			if minor >= 28 {
				buckets = "0 0.005 0.02 0.05 0.1 0.2 0.5 1 2 5 10 15 30"
			}
			return latencies(`execute="true",`+fs, 4000, bounds(buckets)...)
		}},
		{"apiserver_flowcontrol_request_execution_seconds", 23, 0, "histogram", func(minor int) []string {
			labels := fs
			if minor >= 24 {
				labels += `,type="regular"`
			}
			return latencies(labels, 4000, bounds("0 0.005 0.02 0.05 0.1 0.2 0.5 1 2 5 10 15 30")...)
		}},
		{"apiserver_flowcontrol_work_estimated_seats", 24, 0, "histogram", func(minor int) []string {
			buckets := "1 2 4 10"
			if minor >= 34 {
				buckets = "1 2 4 8 16 32 64 100"
			}
			return latencies(fs, 4000, bounds(buckets)...)
		}},
		{"apiserver_flowcontrol_priority_level_seat_utilization", 25, 0, "histogram", func(int) []string {
			return latencies(`phase="executing",`+level, 3000, bounds("0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 0.95 0.99 1")...)
		}},
	}
}

// bodyOf a kube-apiserver of that version.
func bodyOf(minor int) string {
	var body strings.Builder
	for _, w := range vocabulary() {
		if minor < w.first || w.last > 0 && minor > w.last {
			continue
		}
		fmt.Fprintf(&body, "# TYPE %s %s\n", w.name, w.kind)
		for _, series := range w.series(minor) {
			body.WriteString(w.name + series + "\n")
		}
	}
	return body.String()
}

// Every version from 1.23 to 1.37 gives the same verdict and the same headroom, and says
// what its indicator includes.
func TestVocabularyOfEveryVersion(t *testing.T) {
	objectives, err := slo.Catalog(slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	pods := slo.NewResources(map[schema.GroupResource]slo.Class{{Resource: "pods"}: slo.BuiltIn}, nil)
	for minor := 23; minor <= 37; minor++ {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) {
			reading := readVersion(t, bodyOf(minor))
			metric, mutating, lists := "apiserver_request_sli_duration_seconds", "False DryRunsIncluded", "True AsDefined"
			if minor < 26 {
				metric = "apiserver_request_slo_duration_seconds"
			}
			switch {
			case minor < 27:
				mutating, lists = "False QueueTimeIncluded", "False QueueTimeIncluded"
			case minor >= 35:
				mutating, lists = "True AsDefined", "True ListsStreamed"
			case minor == 32 || minor == 34:
				lists = "True ListsStreamed"
			}
			if chosen := reading.Results[slo.SignalRequestLatency].Metrics; !slices.Equal(chosen, []string{metric}) {
				t.Errorf("read from %s, want %s", chosen, metric)
			}
			reports := slo.Evaluate(objectives, reading, pods, slo.Options{})
			wantConditions(t, reports, slo.APILatencyMutating, "True AllKeysHold", mutating)
			wantConditions(t, reports, slo.APILatencyReadOnlyCluster, "True AllKeysHold", lists)
			wantSameHeadroom(t, headroomOf(reading), minor)
		})
	}
}

func wantConditions(t *testing.T, reports []v1alpha1.SLOReport, name, met, faithful string) {
	t.Helper()
	i := slices.IndexFunc(reports, func(r v1alpha1.SLOReport) bool { return r.Name == name })
	want := map[string]string{
		v1alpha1.ConditionMet: met, v1alpha1.ConditionIndicatorFaithful: faithful,
		v1alpha1.ConditionDataComplete: "True AllInstancesObserved", v1alpha1.ConditionDataSound: "True NoFindings",
		// 3.3 changes of pods, and 13.3 requests of service accounts, in a second.
		v1alpha1.ConditionPromisesKept: "True WithinLimits",
	}
	for _, c := range reports[i].Status.Conditions {
		if w, looked := want[c.Type]; looked && string(c.Status)+" "+c.Reason != w {
			t.Errorf("%s: %s=%s %s, want %s: %s", name, c.Type, c.Status, c.Reason, w, c.Message)
		}
		delete(want, c.Type)
	}
	if len(want) > 0 {
		t.Errorf("%s: lacks %v", name, want)
	}
}

func wantSameHeadroom(t *testing.T, status v1alpha1.APFHeadroomStatus, minor int) {
	t.Helper()
	worst := status.Worst
	if worst == nil || status.Requests == nil || status.Pressure != v1alpha1.PressureRejecting {
		t.Fatalf("not what is rejecting: %+v", status)
	}
	for what, got := range map[string]*int64{
		"nominal limit 245": worst.NominalSeats, "current limit 245": worst.CurrentLimitSeats, "executing 145": worst.ExecutingSeats,
		"headroom 100": worst.HeadroomSeats, "queued 10": worst.QueuedRequests,
		"dispatched 4000": status.Requests.Dispatched, "rejected 100": status.Requests.Rejected,
	} {
		checkFigure(t, what, got)
	}
	if (worst.QueuedSeats != nil) != (minor >= 28) {
		t.Errorf("queued seats: %v", worst.QueuedSeats)
	}
}
