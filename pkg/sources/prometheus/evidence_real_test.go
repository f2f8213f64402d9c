// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/evidence/evidencetest"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/prometheus"
	"example.io/slo-apiserver/pkg/sources/prometheus/prometheustest"
)

// TestRealEvidence pastes every expression of the evidence of minutes of histories with
// births, restarts, failing scrapes and several versions, and wants the figures that are
// served.
func TestRealEvidence(t *testing.T) {
	t.Parallel()
	for _, peer := range prometheustest.Peers() {
		t.Run(string(peer), func(t *testing.T) {
			seeds, step := 2, 2.87
			if peer != prometheustest.Prometheus2 {
				seeds, step = 1, 7.13 // enough to see what is another engine's
			}
			testEvidence(t, peer, seeds, step)
		})
	}
}

func testEvidence(t *testing.T, peer prometheustest.Peer, seeds int, step float64) {
	var samples []prometheustest.Sample
	for seed := range seeds {
		samples = append(samples, pastSamples(fmt.Sprint("evidence-", seed), uint64(seed))...)
	}
	samples = append(samples, totalSamples(samples, `scenario="evidence-0"`)...)
	samples = append(samples, levelSamples("evidence-0")...)
	samples = append(samples, besideSamples("evidence-0")...)
	address := peer.Start(t, samples)
	definitions := evidenceDefinitions(t)
	pasted := map[string]int{}
	total := [3]int{} // bytes of reports, of indicators and of levels
	for seed := range seeds {
		client, err := prometheus.NewClient(prometheus.ClientConfig{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		source, err := prometheus.New(prometheus.Config{
			Client: client, Signals: slices.Concat(definitions.Signals, apf.Signals()), Timeout: time.Minute,
			Match: map[string]string{"scenario": fmt.Sprint("evidence-", seed)},
		})
		if err != nil {
			t.Fatal(err)
		}
		evaluate := evidenceEvaluation(definitions.Objectives)
		for m := 6.0; m < pastMinutes; m += step {
			reading, err := source.Read(t.Context(), pastMinute(m), slo.DefaultWindow)
			if err != nil {
				t.Fatal(err)
			}
			reports, indicators, headrooms := evaluate(reading)
			total[0], total[1], total[2] = total[0]+size(t, reports), total[1]+size(t, indicators), total[2]+size(t, headrooms)
			pasteReports(t, address, reports, indicators, pasted)
			for i := range headrooms {
				paste(t, address, headrooms[i].Name, headrooms[i].Status.Evidence, evidencetest.OfHeadroom(&headrooms[i]), pasted)
			}
		}
	}
	t.Logf("figures that were compared: %v", pasted)
	t.Logf("bytes as kubectl prints them, all in all: %d of reports, %d of indicators, %d of levels", total[0], total[1], total[2])
	for _, figure := range []string{
		"ratio-of-bad", "ratio-of-good", "requests", "slowRequests", "with births", "indicators.requests", "indicators.slowRequests", "indicators.p99Milliseconds",
		"indicators.total.p99Milliseconds", "indicators.total.lostMilliseconds", "indicators.total.lostPerRequestMilliseconds",
		"overhead.lostMilliseconds", "overhead.lostPerRequestMilliseconds", "overhead.keysOverThreshold",
		"overhead.webhooks.calls", "overhead.webhooks.milliseconds", "overhead.webhooks.perCallMilliseconds",
		"overhead.webhooks.rejections", "overhead.webhooks.failures", "overhead.webhooks.failedOpen",
		"conditions.IndicatorFaithful.dryRuns", "conditions.IndicatorFaithful.watchLists",
		"conditions.PromisesKept.objects", "conditions.PromisesKept.churnAtLeast", "conditions.PromisesKept.churnAtMost",
		"byInstance.nominalSeats", "byInstance.currentLimitSeats", "byInstance.executingSeats", "byInstance.queuedRequests",
		"byInstance.dispatchedRequests", "byInstance.rejectedRequests",
	} {
		if pasted[figure] == 0 {
			t.Errorf("%s was never pasted", figure)
		}
	}
}

// pasteReports and the indicators of their keys.
func pasteReports(t *testing.T, address string, reports []v1alpha1.SLOReport, indicators []v1alpha1.ServiceLevelIndicator, pasted map[string]int) {
	t.Helper()
	for i := range reports {
		claims := evidencetest.OfReport(&reports[i])
		for n := range indicators {
			if indicators[n].Spec.Report == reports[i].Name {
				claims = append(claims, evidencetest.OfIndicator(&indicators[n], reports[i].Spec.Indicator.Key)...)
			}
		}
		paste(t, address, reports[i].Name, reports[i].Status.Evidence, claims, pasted)
	}
}

func paste(t *testing.T, address, name string, e *v1alpha1.Evidence, claims []evidencetest.Claim, pasted map[string]int) {
	t.Helper()
	if e == nil {
		return
	}
	compared, without, err := evidencetest.Paste(address, e, claims)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for figure, n := range compared {
		pasted[figure] += n
	}
	if compared["slowRequests"] > 0 {
		pasted[name]++
	}
	for figure, n := range without {
		pasted["without: "+figure] += n
	}
	for _, f := range e.Figures {
		if strings.Contains(f.Expression, "label_replace") {
			pasted["with births"]++
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

// evidenceDefinitions are what is built in, and ratios by good events and by bad ones.
func evidenceDefinitions(t *testing.T) slo.Definitions {
	t.Helper()
	catalog, err := objectives.Load("test.yaml", []byte("apiVersion: "+objectives.APIVersion+"\nkind: "+objectives.Kind+`
objectives:
- {name: ratio-of-bad, description: d, signal: api-requests, verbs: [POST, PATCH], bad: {code: [4xx, "500"]}, goodRatio: "0.999"}
- {name: ratio-of-good, description: d, signal: api-requests, key: [group, resource, verb], good: {code: ["201"]}, goodRatio: "0.9"}
`))
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := slo.Define(catalog, slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	return definitions
}

func evidenceEvaluation(all []slo.Objective) func(*sources.Reading) ([]v1alpha1.SLOReport, []v1alpha1.ServiceLevelIndicator, []v1alpha1.APFHeadroom) {
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
	noDays := func(string) slo.Days { return slo.Days{} }
	return func(reading *sources.Reading) ([]v1alpha1.SLOReport, []v1alpha1.ServiceLevelIndicator, []v1alpha1.APFHeadroom) {
		judged := slo.Judge(all, reading, resources, slo.Options{})
		return judged.Reports, slo.Indicators(judged.Assessments, noDays),
			apf.Evaluate(reading, []*flowcontrolv1.PriorityLevelConfiguration{level}, nil, apf.Options{})
	}
}
