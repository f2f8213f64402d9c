// Copyright The slo-apiserver Authors.
// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/testutil"

	"example.io/slo-apiserver/pkg/sources"
)

var twoSignals = []sources.Signal{
	{Name: "requests", Component: sources.KubeAPIServer, Kind: sources.Counter, Metrics: []string{"apiserver_request_total"}},
	{Name: "seats", Component: sources.KubeAPIServer, Kind: sources.Gauge, Metrics: []string{"seats"}},
}

// at is when the fakes are asked.
var at = time.Unix(1_750_000_000, 0)

// instancesBody is an answer to the query for instances.
var instancesBody = fmt.Sprintf(`{"status":"success","data":{"stats":{"timings":{"evalTotalTime":1e-05},"samples":{"totalQueryableSamples":17,"peakSamples":3}},"result":[{"metric":{"__name__":"process_start_time_seconds","job":"apiserver","instance":"a"},"values":[[%d,"1"],[%d,"1"]]}]}}`, at.Unix()-300, at.Unix())

// scalarBody is how PromQL answers the query 1.
const scalarBody = `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`

const emptyBody = `{"status":"success","data":{"result":[]}}`

func newTestSource(t *testing.T, url string, change func(*Config)) *Source {
	t.Helper()
	client, err := NewClient(ClientConfig{URL: url, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Client: client, Signals: twoSignals}
	if change != nil {
		change(&c)
	}
	source, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// serve answers every query with what answer returns.
func serve(t *testing.T, answer func(w http.ResponseWriter, promql string)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/prefix/api/v1/query" || r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		if r.FormValue("query") == "1" {
			_, _ = w.Write([]byte(scalarBody))
			return
		}
		answer(w, r.FormValue("query"))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/prefix/"
}

func body(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func TestReadRefused(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := newTestSource(t, server.URL, nil).Read(context.Background(), at, time.Minute)
	if err == nil || !strings.Contains(err.Error(), server.URL) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got error %v", err)
	}
}

// A signal whose query fails is told from one that has no series.
func TestReadOneQueryFails(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, promql string) {
		switch {
		case strings.Contains(promql, "up"):
			_, _ = w.Write([]byte(instancesBody))
		case strings.Contains(promql, "max_over_time"):
			body(422, `{"status":"error","errorType":"execution","error":"too many samples"}`)(w, nil)
		default:
			_, _ = w.Write([]byte(strings.Replace(emptyBody, "{", `{"warnings":["store down"],`, 1)))
		}
	})
	reading, err := newTestSource(t, url, nil).Read(context.Background(), at, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if r := reading.Results["requests"]; len(r.Warnings)+len(r.Metrics)+len(r.Series) > 0 {
		t.Errorf("a signal without series came out as %+v", r)
	}
	if r := reading.Results["seats"]; len(r.Metrics)+len(r.Series) > 0 || len(r.Warnings) != 1 ||
		r.Warnings[0].Reason != sources.QueryFailed || !strings.Contains(r.Warnings[0].Message, "read seats: answer of Prometheus: 422 Unprocessable Entity: execution: too many samples") {
		t.Errorf("a signal that could not be read came out as %+v", r)
	}
	if len(reading.Warnings) != 1 || reading.Warnings[0].Reason != sources.PartialResponse || reading.Warnings[0].Message != "Prometheus warns: store down" {
		t.Errorf("got warnings %q", reading.Warnings)
	}
	if len(reading.Instances) != 1 || !reading.Instances[0].Observed {
		t.Errorf("got instances %+v", reading.Instances)
	}
}

// Kubelets that can not be found out leave the kube-apiservers as they are.
func TestReadOneComponentFails(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, promql string) {
		switch {
		case strings.Contains(promql, "kubelet"):
			body(500, "boom")(w, nil)
		case strings.Contains(promql, "up"):
			_, _ = w.Write([]byte(instancesBody))
		default:
			_, _ = w.Write([]byte(emptyBody))
		}
	})
	source := newTestSource(t, url, func(c *Config) {
		c.Signals = append(c.Signals, sources.Signal{Name: "startup", Component: sources.Kubelet, Kind: sources.Counter, Metrics: []string{"m"}})
	})
	reading, err := source.Read(context.Background(), at, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	const want = "find instances of kubelet: answer of Prometheus: 500 Internal Server Error: boom"
	if r := reading.Results["startup"]; len(r.Warnings) != 1 || r.Warnings[0].Message != want {
		t.Errorf("got %+v", r)
	}
	if len(reading.Warnings) != 1 || reading.Warnings[0].Message != want || len(reading.Instances) != 1 {
		t.Errorf("got warnings %q, instances %v", reading.Warnings, reading.Instances)
	}
}

// Prometheus may keep native histograms only: they have buckets of their own.
func TestReadNativeHistogram(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, promql string) {
		switch {
		case strings.HasPrefix(promql, startTime):
			_, _ = w.Write([]byte(instancesBody))
		case strings.HasPrefix(promql, "up{"):
			_, _ = w.Write([]byte(emptyBody))
		case strings.Contains(promql, "group by"):
			_, _ = w.Write([]byte(`{"status":"success","data":{"result":[{"metric":{"metric":"latency","instance":"a"},"value":[1,"1"]}]}}`))
		case strings.Contains(promql, "increase(latency{"):
			_, _ = w.Write([]byte(`{"status":"success","data":{"result":[{"metric":{},"histogram":[1,{"count":"10","sum":"7","buckets":[[0,"4.756828460010884","5.187358218604039","1"],[0,"0.5","0.5452538663326288","6"],[3,"-2.9e-39","2.9e-39","3"]]}]}]}}`))
		default:
			t.Errorf("unexpected query %s", promql)
		}
	})
	source := newTestSource(t, url, func(c *Config) {
		c.Signals = []sources.Signal{{Name: "latency", Component: sources.KubeAPIServer, Kind: sources.Histogram, Metrics: []string{"latency"}}}
	})
	reading, err := source.Read(context.Background(), at, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r := reading.Results["latency"]
	if len(r.Series) != 1 || len(r.Warnings) != 1 || r.Warnings[0].Reason != sources.NativeHistogram {
		t.Fatalf("got %+v", r)
	}
	want := &sources.Buckets{Native: true, Sum: 7,
		Bounds: []float64{0, 2.9e-39, 0.5, 0.5452538663326288, 4.756828460010884, 5.187358218604039, math.Inf(1)}, Counts: []float64{0, 3, 3, 9, 9, 10, 10}}
	if diff := cmp.Diff(want, r.Series[0].Histogram); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Series of several clusters or replicas in one Prometheus look like one instance,
// and would be counted twice: seats that are taken, and seats that are left.
func TestReadConflict(t *testing.T) {
	one := `{"metric":{"__name__":"process_start_time_seconds","job":"apiserver","instance":"a","replica":"%s"},"values":[[%d,"5"],[%d,"5"]]}`
	for _, test := range []struct {
		name               string
		begins, ends, than int64 // of the first series, and the second one begins
		conflict           bool
	}{
		{"side by side", -300, -20, -290, true},
		{"one after the other", -300, -60, -40, false},
		{"side by side, until one ended", -400, -200, -390, true},
		{"side by side, before the window", -400, -310, -390, false},
	} {
		url := serve(t, func(w http.ResponseWriter, promql string) {
			if strings.Contains(promql, "up") {
				fmt.Fprintf(w, `{"status":"success","data":{"result":[`+one+","+one+`]}}`,
					"x", at.Unix()+test.begins, at.Unix()+test.ends, "y", at.Unix()+test.than, at.Unix())
				return
			}
			_, _ = w.Write([]byte(emptyBody))
		})
		reading, err := newTestSource(t, url, nil).Read(context.Background(), at, 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if reading.Instances[0].Observed == test.conflict {
			t.Errorf("%s: got instance %+v", test.name, reading.Instances[0])
		}
		warned := strings.Contains(fmt.Sprint(reading.Warnings), "differ in the label replica, and would be counted twice: it is not read; choose one with --prometheus-match replica=VALUE")
		if warned != test.conflict {
			t.Errorf("%s: got warnings %q", test.name, reading.Warnings)
		}
	}
}

func TestReadBusy(t *testing.T) {
	for _, when := range []string{"up", "apiserver_request_total"} {
		var queries atomic.Int32
		url := serve(t, func(w http.ResponseWriter, promql string) {
			queries.Add(1)
			switch {
			case strings.Contains(promql, when):
				w.Header().Set("Retry-After", "17")
				body(429, "slow down")(w, nil)
			case strings.Contains(promql, "up"):
				_, _ = w.Write([]byte(instancesBody))
			default:
				_, _ = w.Write([]byte(emptyBody))
			}
		})
		_, err := newTestSource(t, url, nil).Read(context.Background(), at, 5*time.Minute)
		var busy *BusyError
		if !errors.As(err, &busy) || busy.RetryAfter() != 17*time.Second || busy.Status != 429 {
			t.Errorf("%s: got error %v", when, err)
		}
		if queries.Load() > 5 { // two for the instances, and what was under way
			t.Errorf("%s: %d queries were sent to a server that is busy", when, queries.Load())
		}
	}
}

func TestReadStops(t *testing.T) {
	asked := make(chan struct{}, 10)
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, string) {
		asked <- struct{}{}
		<-release
	})
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := newTestSource(t, url, nil).Read(ctx, at, 5*time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	source := newTestSource(t, url, func(c *Config) { c.Timeout = time.Millisecond })
	if _, err := source.Read(context.Background(), at, 5*time.Minute); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 1ms") {
		t.Errorf("got error %v", err)
	}
}

func TestMetrics(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, promql string) {
		if strings.HasPrefix(promql, "up") || strings.HasPrefix(promql, startTime) {
			_, _ = w.Write([]byte(instancesBody))
			return
		}
		body(500, "boom")(w, nil)
	})
	source := newTestSource(t, url, nil)
	registry := metrics.NewKubeRegistry()
	for _, metric := range source.Metrics() {
		registry.MustRegister(metric)
	}
	if _, err := source.Read(context.Background(), at, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	want := `# HELP slo_apiserver_prometheus_answer_bytes_total [ALPHA] Bytes of the answers of Prometheus, unpacked.
# TYPE slo_apiserver_prometheus_answer_bytes_total counter
slo_apiserver_prometheus_answer_bytes_total ` + fmt.Sprint(len(scalarBody)+2*len(instancesBody)) + `
# HELP slo_apiserver_prometheus_engine_samples_total [ALPHA] Samples that Prometheus went through for its answers, as it says with --prometheus-query-param=stats=all.
# TYPE slo_apiserver_prometheus_engine_samples_total counter
slo_apiserver_prometheus_engine_samples_total 34
# HELP slo_apiserver_prometheus_readings_total [ALPHA] Readings begun, one for each evaluation: the other counters by this one are what an evaluation costs, and what is read of the past.
# TYPE slo_apiserver_prometheus_readings_total counter
slo_apiserver_prometheus_readings_total 1
# HELP slo_apiserver_prometheus_series_total [ALPHA] Series decoded from the answers of Prometheus.
# TYPE slo_apiserver_prometheus_series_total counter
slo_apiserver_prometheus_series_total 3
# HELP slo_apiserver_prometheus_queries_total [ALPHA] Queries sent to Prometheus, by result: success, timeout, busy or error.
# TYPE slo_apiserver_prometheus_queries_total counter
slo_apiserver_prometheus_queries_total{result="error"} 3
slo_apiserver_prometheus_queries_total{result="success"} 3
# HELP slo_apiserver_prometheus_samples_total [ALPHA] Samples decoded from the answers of Prometheus.
# TYPE slo_apiserver_prometheus_samples_total counter
slo_apiserver_prometheus_samples_total 5
`
	err := testutil.GatherAndCompare(registry, strings.NewReader(want), "slo_apiserver_prometheus_queries_total", "slo_apiserver_prometheus_samples_total",
		"slo_apiserver_prometheus_answer_bytes_total", "slo_apiserver_prometheus_engine_samples_total", "slo_apiserver_prometheus_readings_total", "slo_apiserver_prometheus_series_total")
	if err != nil {
		t.Error(err)
	}
}
