// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"example.io/slo-apiserver/pkg/apis/slo/v1alpha1"
	"example.io/slo-apiserver/pkg/objectives"
	"example.io/slo-apiserver/pkg/slo"
	"example.io/slo-apiserver/pkg/sources"
	"example.io/slo-apiserver/pkg/sources/scrape"
)

// ownBody is what a kube-apiserver of 1.37 says of five minutes, in its own names and
// labels (k8s.io/apiserver pkg/endpoints/metrics, pkg/storage/cacher/metrics,
// pkg/admission/metrics and pkg/storage/etcd3/metrics).
const ownBody = `# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.7e9
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 9980
apiserver_request_total{code="404",component="apiserver",dry_run="",group="apps",resource="deployments",scope="resource",subresource="",verb="GET",version="v1"} 5
apiserver_request_total{code="500",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="GET",version="v1"} 10
apiserver_request_total{code="503",component="apiserver",dry_run="",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 5
apiserver_request_total{code="500",component="apiserver",dry_run="All",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 77
apiserver_request_total{code="500",component="",dry_run="",group="",resource="",scope="",subresource="/healthz",verb="GET",version=""} 77
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="WATCH",version="v1"} 77
# TYPE apiserver_watch_events_dispatch_duration_seconds histogram
apiserver_watch_events_dispatch_duration_seconds_bucket{group="",resource="pods",stage="total",le="0.01"} 90
apiserver_watch_events_dispatch_duration_seconds_bucket{group="",resource="pods",stage="total",le="+Inf"} 100
apiserver_watch_events_dispatch_duration_seconds_sum{group="",resource="pods",stage="total"} 1
apiserver_watch_events_dispatch_duration_seconds_count{group="",resource="pods",stage="total"} 100
apiserver_watch_events_dispatch_duration_seconds_bucket{group="",resource="pods",stage="storage_to_cache",le="+Inf"} 100
apiserver_watch_events_dispatch_duration_seconds_sum{group="",resource="pods",stage="storage_to_cache"} 1
apiserver_watch_events_dispatch_duration_seconds_count{group="",resource="pods",stage="storage_to_cache"} 100
# TYPE etcd_request_duration_seconds histogram
etcd_request_duration_seconds_bucket{group="",operation="get",resource="pods",le="0.1"} 98
etcd_request_duration_seconds_bucket{group="",operation="get",resource="pods",le="+Inf"} 100
etcd_request_duration_seconds_sum{group="",operation="get",resource="pods"} 5
etcd_request_duration_seconds_count{group="",operation="get",resource="pods"} 100
`

// From a file and a body to reports: a ratio and a latency of a cluster's own, and an
// indicator for information.
func TestOwnObjectivesAreRead(t *testing.T) {
	f := &objectivesFile{path: "../../artifacts/examples/objectives.yaml", window: DefaultWindow, minimumRequests: DefaultMinimumRequests}
	d, _, err := f.load()
	if err != nil {
		t.Fatal(err)
	}
	informational, err := objectives.Load("i.yaml", []byte(fileHeader+"profiles: [informational]\n"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := slo.Define(informational, DefaultWindow, DefaultMinimumRequests)
	if err != nil {
		t.Fatal(err)
	}
	d.Objectives = append(d.Objectives, more.Objectives...)
	signals := readable(d)
	for _, s := range readable(more) {
		if !includes(signals, []sources.Signal{s}) {
			signals = append(signals, s)
		}
	}
	body := cumulative.ReplaceAllString(ownBody, "$1 0")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	found, err := scrape.NewStatic([]string{server.URL})
	if err != nil {
		t.Fatal(err)
	}
	source, err := scrape.New(scrape.Config{Signals: signals, Finders: []scrape.Finder{found},
		REST: &rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for age := DefaultWindow; age >= 0; age -= 15 * time.Second {
		source.Collect(t.Context(), at.Add(-age))
		body = ownBody
	}
	reading, err := source.Read(t.Context(), at, DefaultWindow)
	if err != nil {
		t.Fatal(err)
	}
	reports := slo.Evaluate(d.Objectives, reading, slo.NewResources(nil, nil), slo.Options{})
	for name, want := range map[string]string{
		// Neither dry runs, nor health checks, nor watches: 15 of 10000.
		"api-availability": "Violated 15/10000 below 99.9% good: 15 of 10000 requests bad",
		"etcd-latency":     "Violated 2/100 p99 over 100ms: 2 of 100 calls slow",
		"watch-latency":    "Informational -/100 there is no objective",
	} {
		i := slices.IndexFunc(reports, func(r v1alpha1.SLOReport) bool { return r.Name == name })
		status := reports[i].Status
		_, text := message(status.Conditions, v1alpha1.ConditionMet)
		if got := string(status.Verdict) + " " + count(status.SlowRequests) + "/" + count(status.Requests) + " " + text; !strings.HasPrefix(got, want) {
			t.Errorf("%s: got  %s\nwant %s", name, got, want)
		}
	}
}

func count(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}
