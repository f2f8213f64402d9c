// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// nasty has all that could end a PromQL string, or be taken for a regular expression.
const nasty = `a"b\c.*|d`

// TestRealEvidence pastes every expression of the evidence of every minute of
// histories with births, restarts, failing scrapes and several versions, and wants
// the figures that are served.
func TestRealEvidence(t *testing.T) {
	const seeds = 2
	samples := levelSamples("evidence-0")
	for seed := range seeds {
		samples = append(samples, pastSamples(fmt.Sprint("evidence-", seed), uint64(seed))...)
	}
	address := prometheustest.Start(t, samples)
	pasted := map[string]int{}
	total := [2]int{} // bytes of reports, and of levels
	for seed := range seeds {
		client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		source, err := prometheus.New(prometheus.Config{
			Client: client, Signals: slices.Concat(slo.Signals(), apf.Signals()), Timeout: time.Minute,
			Match: map[string]string{"scenario": fmt.Sprint("evidence-", seed)},
		})
		if err != nil {
			t.Fatal(err)
		}
		evaluate := evidenceEvaluation(t)
		for m := 6.0; m < pastMinutes; m += 2.87 {
			reading, err := source.Read(t.Context(), pastMinute(m), slo.DefaultWindow)
			if err != nil {
				t.Fatal(err)
			}
			reports, headrooms := evaluate(reading)
			total[0], total[1] = total[0]+size(t, reports), total[1]+size(t, headrooms)
			for _, r := range reports {
				pasteReport(t, address, r, pasted)
			}
			for _, h := range headrooms {
				pasteHeadroom(t, address, h, pasted)
			}
		}
	}
	t.Logf("expressions that were pasted: %v", pasted)
	t.Logf("bytes as kubectl prints them, all in all: %d of reports, %d of levels", total[0], total[1])
	for _, figure := range []string{
		"requests", "slowRequests", "worst[0].requests", "worst[0].slowRequests", "worst[0].p99Milliseconds", "with births",
		"byInstance.nominalSeats", "byInstance.currentLimitSeats", "byInstance.executingSeats", "byInstance.queuedRequests",
		"byInstance.dispatchedRequests", "byInstance.rejectedRequests",
	} {
		if pasted[figure] == 0 {
			t.Errorf("%s was never pasted", figure)
		}
	}
}

// size as kubectl get -o json prints it.
func size(t *testing.T, list any) int {
	t.Helper()
	text, err := json.MarshalIndent(list, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	return len(text)
}

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

func evidenceEvaluation(t *testing.T) func(*sources.Reading) ([]v1alpha1.SLOReport, []v1alpha1.APFHeadroom) {
	t.Helper()
	objectives, err := slo.Catalog(slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	classes := map[schema.GroupResource]slo.Class{
		{Group: "example.com", Resource: "widgets"}: slo.Custom, {Group: "apps", Resource: "deployments"}: slo.BuiltIn,
		{Resource: "secrets"}: slo.Virtual, // of the group that the others are in
		{Resource: "pods"}:    slo.BuiltIn, {Resource: "nodes"}: slo.BuiltIn,
	}
	for i := range 25 {
		classes[schema.GroupResource{Group: "batch", Resource: fmt.Sprint("kind", i)}] = []slo.Class{slo.BuiltIn, slo.Custom}[i%2]
	}
	resources := slo.NewResources(classes, nil)
	level := &flowcontrolv1.PriorityLevelConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: nasty},
		Spec: flowcontrolv1.PriorityLevelConfigurationSpec{Type: flowcontrolv1.PriorityLevelEnablementLimited,
			Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{LimitResponse: flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject}}},
	}
	return func(reading *sources.Reading) ([]v1alpha1.SLOReport, []v1alpha1.APFHeadroom) {
		return slo.Evaluate(objectives, reading, resources, slo.Options{}),
			apf.Evaluate(reading, []*flowcontrolv1.PriorityLevelConfiguration{level}, nil, apf.Options{})
	}
}

func pasteReport(t *testing.T, address string, r v1alpha1.SLOReport, pasted map[string]int) {
	t.Helper()
	e := r.Status.Evidence
	if e == nil {
		return
	}
	want := map[string]*int64{"requests": r.Status.Requests, "slowRequests": r.Status.SlowRequests}
	if len(r.Status.Worst) > 0 {
		worst := r.Status.Worst[0]
		want["worst[0].requests"], want["worst[0].slowRequests"], want["worst[0].p99Milliseconds"] = &worst.Requests, &worst.SlowRequests, worst.P99Milliseconds
	}
	for _, f := range e.Figures {
		got := int64(0)
		for _, value := range paste(t, address, f.Expression, e.EvaluationTime.Time) {
			got += value
		}
		pasted[f.Figure]++
		if strings.Contains(f.Expression, "label_replace") {
			pasted["with births"]++
		}
		if want[f.Figure] == nil || *want[f.Figure] != got {
			t.Errorf("%s at %s: %s is %s, and pasted %d:\n%s", r.Name, e.EvaluationTime.Format(time.TimeOnly), f.Figure, show(want[f.Figure]), got, f.Expression)
		}
	}
}

func pasteHeadroom(t *testing.T, address string, h v1alpha1.APFHeadroom, pasted map[string]int) {
	t.Helper()
	e := h.Status.Evidence
	if e == nil {
		return
	}
	for _, f := range e.Figures {
		got := paste(t, address, f.Expression, e.EvaluationTime.Time)
		pasted[f.Figure]++
		for _, row := range h.Status.ByInstance {
			want := map[string]*int64{
				"byInstance.nominalSeats": row.NominalSeats, "byInstance.currentLimitSeats": row.CurrentLimitSeats,
				"byInstance.executingSeats": row.ExecutingSeats, "byInstance.queuedRequests": row.QueuedRequests,
				"byInstance.dispatchedRequests": row.DispatchedRequests, "byInstance.rejectedRequests": row.RejectedRequests,
			}[f.Figure]
			if value, answered := got[row.Instance]; want == nil && answered || want != nil && *want != value {
				t.Errorf("at %s: %s of %s is %s, and pasted %v:\n%s", e.EvaluationTime.Format(time.TimeOnly), f.Figure, row.Instance, show(want), got, f.Expression)
			}
		}
	}
}

func show(n *int64) string {
	if n == nil {
		return "absent"
	}
	return fmt.Sprint(*n)
}

// paste asks as a user would, and returns whole numbers by instance.
func paste(t *testing.T, address, promql string, at time.Time) map[string]int64 {
	t.Helper()
	response, err := http.PostForm(address+"/api/v1/query", url.Values{"query": {promql}, "time": {at.Format(time.RFC3339Nano)}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "success" {
		t.Fatalf("%s: %s\n%s", answer.Status, answer.Error, promql)
	}
	values := map[string]int64{}
	for _, one := range answer.Data.Result {
		text := fmt.Sprint(one.Value[1])
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatalf("%s is no whole number:\n%s", text, promql)
		}
		values[one.Metric["instance"]] += value
	}
	return values
}
