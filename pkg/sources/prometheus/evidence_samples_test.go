// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// nasty has all that could end a PromQL string, or be taken for a regular expression.
const nasty = `a"b\c.*|d`

// levelSamples of API Priority & Fairness: one instance of 1.36, one of 1.27, and one
// that starts within the history.
func levelSamples(scenario string) []prometheustest.Sample {
	var samples []prometheustest.Sample
	const prefix = "apiserver_flowcontrol_"
	for i, name := range []string{"a", "b", "d"} {
		from := []float64{0, 0.25, 104.1}[i]
		for m := from; m < pastMinutes; m += pastInterval {
			if name == "b" && m >= 86 && m < 94 { // as its scrapes fail
				continue
			}
			add := func(metric, labels string, value float64) {
				series := with(prefix+metric+"{"+labels, apiserverTarget(scenario, name), `priority_level=`+strconv.Quote(nasty))
				samples = append(samples, prometheustest.Sample{Series: series, At: pastMinute(m), Value: value})
			}
			executingMetric, nominalMetric := "current_executing_seats", "nominal_limit_seats"
			if name == "b" {
				executingMetric, nominalMetric = "request_concurrency_in_use", "request_concurrency_limit"
			} else {
				add("current_limit_seats", "", float64(40+i))
			}
			add(nominalMetric, "", float64(30+i))
			add(executingMetric, `flow_schema="x"`, float64(int(m*2)%7))
			add(executingMetric, `flow_schema="y"`, float64(int(m)%3))
			add("current_inqueue_requests", `flow_schema="x"`, float64(int(m)%5))
			add("dispatched_requests_total", `flow_schema="x"`, float64(int((m-from)*13)))
			if m >= 60 { // born
				add("dispatched_requests_total", `flow_schema="y"`, 1)
				add("rejected_requests_total", `flow_schema="x",reason="time-out"`, float64(int((m-from)/11)))
			}
		}
	}
	return samples
}

// totalSamples are the total latencies beside the indicators of a scenario, with the same
// births and restarts: PUT is slower than the indicator, which has the dry runs that a
// tenth of all PATCHes are, and not those of deployments; for kind3 they are not of the
// same requests.
func totalSamples(samples []prometheustest.Sample, scenario string) []prometheustest.Sample {
	const sli = "apiserver_request_sli_duration_seconds_"
	var totals []prometheustest.Sample
	for _, s := range samples {
		part, isSLI := strings.CutPrefix(s.Series, sli)
		if !isSLI || !strings.Contains(part, scenario) {
			continue
		}
		add := func(labels string, value float64) {
			series := "apiserver_request_duration_seconds_" + strings.TrimSuffix(part, "}") + labels + "}"
			totals = append(totals, prometheustest.Sample{Series: series, At: s.At, Value: value})
		}
		isSum, dry := strings.HasPrefix(part, "sum"), math.Floor(s.Value/10)
		switch {
		case strings.Contains(part, `verb="PATCH"`):
			add("", s.Value-dry)
			add(`,dry_run="All"`, dry)
			if strings.Contains(part, `le="+Inf"`) {
				labels := strings.TrimPrefix(strings.Replace(part, `le="+Inf"`, `dry_run="All",code="200"`, 1), "bucket")
				totals = append(totals, prometheustest.Sample{Series: "apiserver_request_total" + labels, At: s.At, Value: dry})
			}
		case isSum:
			add("", s.Value*1.37)
			if strings.Contains(part, `resource="deployments"`) {
				add(`,dry_run="All"`, s.Value)
			}
		case strings.Contains(part, `verb="PUT"`) && !strings.Contains(part, `le="+Inf"`):
			add("", math.Floor(s.Value*0.9))
			if strings.Contains(part, `resource="deployments"`) {
				add(`,dry_run="All"`, dry)
			}
		case strings.Contains(part, `resource="kind3"`):
			add("", 2*s.Value)
		default:
			add("", s.Value)
		}
	}
	return totals
}

// besideSamples are what reports tell of the whole of the kube-apiservers: one instance
// of 1.34, one of 1.27 without some of it, and one that starts within the history.
func besideSamples(scenario string) []prometheustest.Sample {
	var samples []prometheustest.Sample
	for i, name := range []string{"a", "b", "d"} {
		from := []float64{0, 0.25, 104.1}[i]
		for m := from; m < pastMinutes; m += pastInterval {
			if name == "b" && m >= 86 && m < 94 || m >= 70 && m < 78 { // as scrapes fail
				continue
			}
			n := m - from // counted since
			add := func(metric, labels string, value float64) {
				series := with(metric+"{"+labels, apiserverTarget(scenario, name))
				samples = append(samples, prometheustest.Sample{Series: series, At: pastMinute(m), Value: value})
			}
			histogram := func(metric, labels string, count, each float64) {
				count = math.Floor(count)
				for _, le := range []string{"0.1", "1", "+Inf"} {
					add(metric+"_bucket", labels+`,le="`+le+`"`, count)
				}
				add(metric+"_sum", labels, count*each)
			}
			add("apiserver_request_total", `component="apiserver",group="",resource="pods",verb="GET",scope="resource",code="200"`, math.Floor(n*23))
			requests := `component="apiserver",group="",resource="pods",verb="POST",scope="resource",code=`
			add("apiserver_request_total", requests+`"201"`, math.Floor(n*17))
			add("apiserver_request_total", requests+`"409"`, math.Floor(n*5))
			add("apiserver_flowcontrol_dispatched_requests_total", `priority_level="other",flow_schema="users"`, math.Floor(n*301))
			add("apiserver_flowcontrol_dispatched_requests_total", `priority_level="other",flow_schema="system-nodes"`, math.Floor(n*77))
			histogram("apiserver_admission_webhook_admission_duration_seconds", `name="first.example.com",type="admit",operation="CREATE"`, n*11, 0.0213)
			if m >= 60 { // born
				histogram("apiserver_admission_webhook_admission_duration_seconds", `name=`+strconv.Quote(nasty)+`,type="validating",operation="UPDATE"`, m/9, 0.7171)
				add("apiserver_admission_webhook_rejection_count", `name="first.example.com",type="admit",operation="CREATE",error_type="no_error"`, math.Floor(m/7))
				add("apiserver_admission_webhook_rejection_count", `name="first.example.com",type="admit",operation="CREATE",error_type="calling_webhook_error"`, 1)
				add("apiserver_admission_webhook_fail_open_count", `name="first.example.com",type="admit"`, math.Floor(m/13))
			}
			if name == "b" {
				add("apiserver_storage_objects", `resource="pods"`, 70)
				add("kubernetes_build_info", `git_version="v1.27.3"`, 1)
				continue
			}
			add("kubernetes_build_info", `git_version="v1.34.2"`, 1)
			histogram("apiserver_watch_list_duration_seconds", `scope="cluster",group="",resource="pods"`, n*1.7, 0.3)
			for resource, number := range map[string]float64{"nodes": 3, "pods": math.Floor(60 + m/3 + float64(i)), "namespaces": 5, "services": 2} {
				add("apiserver_resource_objects", fmt.Sprintf(`group="",resource=%q`, resource), number)
			}
			add("apiserver_resource_objects", `group="apps",resource="deployments"`, 200_000+math.Floor(m))
		}
	}
	return samples
}
