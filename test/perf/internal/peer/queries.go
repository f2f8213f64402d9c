// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"fmt"
	"time"
)

// objective is what the official objectives ask of a body.
type objective struct {
	selector, key, threshold string
}

const sli = "apiserver_request_sli_duration_seconds"

var objectives = []objective{
	{`component="apiserver",verb=~"APPLY|DELETE|PATCH|POST|PUT",scope="resource"`, "group,resource,subresource,verb", "1"},
	{`component="apiserver",verb=~"GET|LIST",scope="resource"`, "group,resource,subresource", "1"},
	{`component="apiserver",verb=~"GET|LIST",scope="namespace"`, "group,resource,subresource", "30"},
	{`component="apiserver",verb=~"GET|LIST",scope="cluster"`, "group,resource,subresource", "30"},
}

// flowQueries are what the headrooms show.
func flowQueries(window string) []string {
	const p = "apiserver_flowcontrol_"
	return []string{
		"sum by (instance,priority_level) (" + p + "nominal_limit_seats)",
		"sum by (instance,priority_level) (" + p + "current_limit_seats)",
		"max_over_time(" + p + "demand_seats_high_watermark" + window + ")",
		"sum by (instance,priority_level) (" + p + "current_executing_seats)",
		"sum by (instance,priority_level,flow_schema) (" + p + "current_executing_seats)",
		"sum by (instance,priority_level) (max_over_time(" + p + "current_executing_seats" + window + "))",
		"sum by (instance,priority_level,flow_schema) (" + p + "current_inqueue_requests)",
		"sum by (instance,priority_level) (" + p + "current_inqueue_seats)",
		"sum by (instance,priority_level) (increase(" + p + "dispatched_requests_total" + window + "))",
		"sum by (instance,priority_level,flow_schema,reason) (increase(" + p + "rejected_requests_total" + window + "))",
		"histogram_quantile(0.99, sum by (instance,priority_level,le) (increase(" + p + `request_wait_duration_seconds_bucket{execute="true"}` + window + ")))",
	}
}

// ReportQueries are the queries by which a dashboard or an exporter would get the
// figures of all reports: for each objective the requests, the good ones and three
// quantiles by key, and the seats, queues and waits of each priority level.
func ReportQueries(window time.Duration) []string {
	w := fmt.Sprintf("[%dms]", window.Milliseconds())
	var queries []string
	for _, o := range objectives {
		queries = append(queries,
			fmt.Sprintf("sum by (%s) (increase(%s_count{%s}%s))", o.key, sli, o.selector, w),
			fmt.Sprintf("sum by (%s) (increase(%s_bucket{%s,le=~%q}%s))", o.key, sli, o.selector, o.threshold+`(\.0)?`, w),
		)
		for _, q := range []string{"0.5", "0.9", "0.99"} {
			queries = append(queries, fmt.Sprintf("histogram_quantile(%s, sum by (%s,le) (increase(%s_bucket{%s}%s)))", q, o.key, sli, o.selector, w))
		}
	}
	return append(queries, flowQueries(w)...)
}

// FewQueries get the same figures with what can be computed on the other side left
// out: the increases of all buckets once.
func FewQueries(window time.Duration) []string {
	w := fmt.Sprintf("[%dms]", window.Milliseconds())
	return append([]string{fmt.Sprintf(
		`sum by (group,resource,subresource,verb,scope,le) (increase(%s_bucket{component="apiserver",scope=~"cluster|namespace|resource"}%s))`, sli, w,
	)}, flowQueries(w)...)
}

// All evaluates queries one after the other and returns the number of results.
func (s *Storage) All(ctx context.Context, queries []string, at time.Time) (results int, err error) {
	for _, q := range queries {
		vector, err := s.Query(ctx, q, at)
		if err != nil {
			return 0, err
		}
		results += len(vector)
	}
	return results, nil
}
