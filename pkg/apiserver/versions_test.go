// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/apf"
	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/scrape"
)

// The files of testdata/versions are what kube-apiservers of these versions would
// say of the same five minutes, in their own names, labels and buckets
// (k8s.io/apiserver v0.23.17, v0.26.15, v0.29.15 and v0.36.0,
// pkg/util/flowcontrol/metrics and pkg/endpoints/metrics): the example of the EKS
// best practices guide, 145 of 245 seats in use, 10 requests in queue and 100
// rejected by time-out, and 1000 GETs of pods. They were written, not recorded.

// cumulative are the lines of counters and histograms.
var cumulative = regexp.MustCompile(`(?m)^(\w+_(?:total|bucket|sum|count)(?:{.*})?) .*$`)

// readVersion scrapes a body over a window in which all its counters rose from zero.
func readVersion(t *testing.T, body string) *sources.Reading {
	t.Helper()
	now := cumulative.ReplaceAllString(body, "$1 0")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(now))
	}))
	t.Cleanup(server.Close)
	found, err := scrape.NewStatic([]string{server.URL})
	if err != nil {
		t.Fatal(err)
	}
	source, err := scrape.New(scrape.Config{
		Signals: slices.Concat(slo.Signals(), apf.Signals()),
		Finders: []scrape.Finder{found},
		REST:    &rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for age := slo.DefaultWindow; age >= 0; age -= 15 * time.Second {
		source.Collect(t.Context(), at.Add(-age))
		now = body
	}
	reading, err := source.Read(t.Context(), at, slo.DefaultWindow)
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

func versionBody(t *testing.T, version string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "versions", version+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// headroomOf the only level of the bodies.
func headroomOf(reading *sources.Reading) v1alpha1.APFHeadroomStatus {
	level := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "workload-low"}}
	level.Spec.Type = flowcontrolv1.PriorityLevelEnablementLimited
	level.Spec.Limited = &flowcontrolv1.LimitedPriorityLevelConfiguration{
		NominalConcurrencyShares: new(int32(100)), LendablePercent: new(int32(90)),
		LimitResponse: flowcontrolv1.LimitResponse{
			Type:    flowcontrolv1.LimitResponseTypeQueue,
			Queuing: &flowcontrolv1.QueuingConfiguration{Queues: 128, HandSize: 6, QueueLengthLimit: 50},
		},
	}
	flowSchema := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: "service-accounts"}}
	flowSchema.Spec.PriorityLevelConfiguration.Name = level.Name
	return apf.Evaluate(reading, []*flowcontrolv1.PriorityLevelConfiguration{level}, []*flowcontrolv1.FlowSchema{flowSchema}, apf.Options{})[0].Status
}

func message(conditions []metav1.Condition, kind string) (status metav1.ConditionStatus, text string) {
	for _, c := range conditions {
		if c.Type == kind {
			return c.Status, c.Message
		}
	}
	return "", ""
}

// Where a version has what it takes, the answer is the same, and it says what it lacks.
func TestVersionsGiveTheSameHeadroom(t *testing.T) {
	for version, gaps := range map[string][]string{
		"1.23": {"apiserver_flowcontrol_demand_seats_smoothed", "apiserver_flowcontrol_priority_level_seat_utilization", "apiserver_flowcontrol_work_estimated_seats"},
		"1.26": nil, "1.29": nil, "1.36": nil,
	} {
		t.Run(version, func(t *testing.T) {
			status := headroomOf(readVersion(t, versionBody(t, version)))
			worst := status.Worst
			if worst == nil || status.Requests == nil {
				t.Fatalf("nothing is known: %+v", status)
			}
			for what, got := range map[string]*int64{
				"nominal limit 245": worst.NominalSeats, "current limit 245": worst.CurrentLimitSeats, "executing 145": worst.ExecutingSeats,
				"headroom 100": worst.HeadroomSeats, "nominal headroom 100": worst.NominalHeadroomSeats,
				"reachable headroom 100": worst.ReachableHeadroomSeats, "queued 10": worst.QueuedRequests,
				"dispatched 4000": status.Requests.Dispatched, "rejected 100": status.Requests.Rejected,
			} {
				checkFigure(t, what, got)
			}
			if status.Pressure != v1alpha1.PressureRejecting {
				t.Errorf("pressure %s, want %s", status.Pressure, v1alpha1.PressureRejecting)
			}
			if _, text := message(status.Conditions, v1alpha1.ConditionHasHeadroom); !strings.Contains(text, "100 requests of flow schema service-accounts rejected") || !strings.HasSuffix(text, "time-out 100") {
				t.Errorf("HasHeadroom: %s", text)
			}
			complete, text := message(status.Conditions, v1alpha1.ConditionDataComplete)
			if complete != metav1.ConditionTrue || strings.Contains(text, "does not show") != (gaps != nil) {
				t.Errorf("DataComplete=%s: %s", complete, text)
			}
			for _, gap := range gaps {
				if !strings.Contains(text, gap) {
					t.Errorf("%s is not said to be missing: %s", gap, text)
				}
			}
		})
	}
}

func checkFigure(t *testing.T, what string, got *int64) {
	t.Helper()
	i := strings.LastIndexByte(what, ' ')
	if want := what[i+1:]; got == nil {
		t.Errorf("%s is not known, want %s", what[:i], want)
	} else if text := strconv.FormatInt(*got, 10); text != want {
		t.Errorf("%s is %s, want %s", what[:i], text, want)
	}
}

// The indicator had another name before 1.26.
func TestVersionsGiveTheSameReport(t *testing.T) {
	objectives, err := slo.Catalog(slo.DefaultWindow, slo.DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	pods := slo.NewResources(map[schema.GroupResource]slo.Class{{Resource: "pods"}: slo.BuiltIn}, nil)
	for version, metric := range map[string]string{
		"1.23": "apiserver_request_slo_duration_seconds", "1.26": "apiserver_request_sli_duration_seconds",
		"1.29": "apiserver_request_sli_duration_seconds", "1.36": "apiserver_request_sli_duration_seconds",
	} {
		t.Run(version, func(t *testing.T) {
			reading := readVersion(t, versionBody(t, version))
			if chosen := reading.Results[slo.SignalRequestLatency].Metrics; !slices.Equal(chosen, []string{metric}) {
				t.Errorf("read from %s, want %s", chosen, metric)
			}
			reports := slo.Evaluate(objectives, reading, pods, slo.Options{})
			i := slices.IndexFunc(reports, func(r v1alpha1.SLOReport) bool { return r.Name == "api-latency-readonly-resource" })
			if met, text := message(reports[i].Status.Conditions, v1alpha1.ConditionMet); met != metav1.ConditionTrue {
				t.Errorf("Met=%s: %s", met, text)
			}
			// Waiting in a queue was part of it then; of 1.26 the name does not tell.
			_, text := message(reports[i].Status.Conditions, v1alpha1.ConditionIndicatorFaithful)
			if strings.Contains(text, "includes the time of API Priority & Fairness queues") != (version == "1.23") {
				t.Errorf("IndicatorFaithful: %s", text)
			}
		})
	}
}

// keptByAKS is the minimal ingestion profile for kube-apiservers of AKS, as far as
// anything of it is read here (Azure/prometheus-collector, controlplane_apiserver).
var keptByAKS = regexp.MustCompile(`(?m)^apiserver_flowcontrol_(?:demand_seats_average|current_limit_seats){.*$|^process_start_time_seconds.*$|^# TYPE.*$`)

// A profile that keeps the limit alone gives the limit alone, and names the rest.
func TestMinimalProfileNamesItsGaps(t *testing.T) {
	body := strings.Join(keptByAKS.FindAllString(versionBody(t, "1.29"), -1), "\n") + "\n"
	status := headroomOf(readVersion(t, body))
	if status.Worst == nil || status.Pressure != v1alpha1.PressureUnknown {
		t.Fatalf("%+v, want an unknown pressure", status)
	}
	checkFigure(t, "current limit 245", status.Worst.CurrentLimitSeats)
	if w := status.Worst; w.NominalSeats != nil || w.ExecutingSeats != nil || w.HeadroomSeats != nil || w.QueuedRequests != nil {
		t.Errorf("figures were made up: %+v", w)
	}
	complete, text := message(status.Conditions, v1alpha1.ConditionDataComplete)
	if complete != metav1.ConditionFalse || !strings.Contains(text, "apiserver_flowcontrol_current_executing_seats") {
		t.Errorf("DataComplete=%s: %s", complete, text)
	}
}
